// `type: branch`: the first rule that holds names the outlet; if none does, it is `otherwise`. `when` is a
// JavaScript expression in {{ }}, or one of CEL over `input` and `blocks`.

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "block/block.h"
#include "block/values.h"
#include "block/with_schema.h"
#include "spec/cel.h"

namespace holdfast::flows {

namespace {

constexpr std::size_t kMaxRules = 100;

struct Rule {
  std::string name;
  std::string when;
  std::optional<spec::cel::Expression> cel;  // none: `when` is a template
};

struct BranchSettings : BlockSettings {
  std::vector<Rule> rules;
};

Json schema(std::string_view) {
  return schema_of_text(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["rules"],
    "properties": {"rules": {"$ref": "#/$defs/rules"}}
  })json");
}

void read_condition(spec::MapReader& in, Rule& rule) {
  if (is_template(rule.when)) {
    if (!rule.when.starts_with("{{") || !rule.when.ends_with("}}"))
      in.problem("when", "is one {{ expression }}, with nothing around it");
    return;
  }
  auto cel = spec::cel::Expression::parse(rule.when);
  if (!cel) return in.problem("when", fmt::format("`{}`: {}", rule.when, cel.error().text()));
  for (const std::string& name : cel->names()) {
    if (name == "input" || name == "blocks") continue;
    in.problem("when",
               fmt::format("there is no `{}`; a rule sees `input` and `blocks`: write input.{}", name, name));
  }
  rule.cel = *std::move(cel);
}

void read(BlockReader& reader) {
  auto settings = std::make_shared<BranchSettings>();
  for (const YAML::Node& node : reader.with.list("rules", kMaxRules)) {
    spec::MapReader in(reader.with.problems(), node,
                       fmt::format("{}.rules[{}]", reader.with.path(), settings->rules.size()));
    Rule& rule = settings->rules.emplace_back();
    rule.name = in.required_text("name");
    rule.when = in.required_text("when");
    if (!rule.when.empty()) read_condition(in, rule);
    in.finish();
  }
  reader.out.settings = std::move(settings);
}

Json canonical(const BoundBlock& block) {
  Json rules = Json::array();
  for (const Rule& rule : settings_of<BranchSettings>(block).rules)
    rules.push_back({{"name", rule.name}, {"when", rule.when}});
  return {{"rules", std::move(rules)}};
}

BlockFailure no_truth(const Rule& rule, std::string_view what) {
  return {"RuleError", fmt::format("rule `{}`: {}", rule.name, what)};
}

std::expected<bool, BlockFailure> holds(const Rule& rule, Values& values,
                                        std::optional<spec::cel::Environment>& environment) {
  if (!rule.cel) {
    Evaluated value = values.filled(Json(rule.when));
    if (!value) return std::unexpected(no_truth(rule, value.error().message));
    if (*value == "true") return true;
    if (*value == "false") return false;
    return std::unexpected(
        no_truth(rule, fmt::format("it is neither true nor false, but {}", value->substr(0, 100))));
  }
  if (!environment) {
    auto document = values.document();
    if (!document) return std::unexpected(document.error());
    environment.emplace();
    for (const auto& [name, value] : document->items())
      environment->variables.emplace(name, spec::cel::Value::of_json(value));
  }
  const auto value = rule.cel->evaluate(*environment);
  if (!value) return std::unexpected(no_truth(rule, value.error().text()));
  const bool* truth = value->as<bool>();
  if (truth == nullptr)
    return std::unexpected(no_truth(rule, fmt::format("it is no bool, but {}", value->type())));
  return *truth;
}

BlockResult run(const BoundBlock& block, Values& values) {
  std::optional<spec::cel::Environment> environment;
  BlockEnding out;
  out.outlet = "otherwise";
  for (const Rule& rule : settings_of<BranchSettings>(block).rules) {
    const auto truth = holds(rule, values, environment);
    if (!truth) return std::unexpected(truth.error());
    if (!*truth) continue;
    out.outlet = rule.name;
    break;
  }
  out.value = dump_json(Json{{"outlet", out.outlet}});
  return out;
}

}  // namespace

constinit const RunnableBlock kBranchBlock = whole({.type = "branch",
                                                    .schema = schema,
                                                    .read = read,
                                                    .canonical = canonical,
                                                    .run = run,
                                                    .has_timeout = true});

}  // namespace holdfast::flows
