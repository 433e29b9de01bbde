#include "block/condition.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace holdfast::flows {

Condition read_condition(spec::MapReader& in, std::string_view key, std::span<const std::string_view> names) {
  Condition out;
  out.text = in.required_text(key);
  if (out.text.empty()) return out;
  if (is_template(out.text)) {
    if (!out.text.starts_with("{{") || !out.text.ends_with("}}"))
      in.problem(key, "is one {{ expression }}, with nothing around it");
    return out;
  }
  auto cel = spec::cel::Expression::parse(out.text);
  if (!cel) {
    in.problem(key, fmt::format("`{}`: {}", out.text, cel.error().text()));
    return out;
  }
  for (const std::string& name : cel->names()) {
    if (name == "input" || name == "blocks" || std::ranges::find(names, name) != names.end()) continue;
    in.problem(key,
               fmt::format("there is no `{}`; a rule sees `input` and `blocks`: write input.{}", name, name));
  }
  out.cel = *std::move(cel);
  return out;
}

std::expected<bool, BlockFailure> Conditions::holds(const Condition& condition, std::string_view what) {
  const auto no_truth = [&](std::string_view why) {
    return std::unexpected(BlockFailure{"RuleError", fmt::format("{}: {}", what, why)});
  };
  if (!condition.cel) {
    Evaluated value = values_.filled(Written(condition.text));
    if (!value) return no_truth(value.error().message);
    if (*value == "true") return true;
    if (*value == "false") return false;
    return no_truth(fmt::format("it is neither true nor false, but {}", value->substr(0, 100)));
  }
  if (!environment_) {
    auto document = values_.document();
    if (!document) return std::unexpected(document.error());
    environment_.emplace();
    for (const auto& [name, value] : document->items())
      environment_->variables.emplace(name, spec::cel::Value::of_json(value));
  }
  const auto value = condition.cel->evaluate(*environment_);
  if (!value) return no_truth(value.error().text());
  const bool* truth = value->as<bool>();
  if (truth == nullptr) return no_truth(fmt::format("it is no bool, but {}", value->type()));
  return *truth;
}

}  // namespace holdfast::flows
