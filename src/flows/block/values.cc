#include "block/values.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "block/outcome.h"

namespace holdfast::flows {

namespace {

// Of what is_large, unless the block has a timeout.
constexpr std::chrono::duration<std::uint32_t, std::milli> kLongLimit{5000};

BlockFailure failure_of(const sandbox::Failure& failure) {
  std::string where;
  if (failure.line > 0) where = fmt::format("line {}, column {}: ", failure.line, failure.column);
  const std::string name = failure.name.empty() ? "" : failure.name + ": ";
  return {std::string(sandbox::fault_name(failure.fault)), where + name + failure.message};
}

}  // namespace

const std::string& Values::input() {
  if (!input_) input_ = sources_.input();
  return *input_;
}

std::string_view plain_name(std::string_view text) {
  if (!text.starts_with("{{") || !text.ends_with("}}") || text.size() < 5) return {};
  text = text.substr(2, text.size() - 4);
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  std::string_view name = text;
  if (name.starts_with("blocks.")) name.remove_prefix(7);
  return !name.empty() && std::ranges::all_of(name, is_part) ? text : std::string_view();
}

// What needs no sandbox: the value that has that name, as it is.
std::optional<std::string> Values::named(std::string_view text) {
  const std::string_view name = plain_name(text);
  if (name == "input") return input();
  for (const auto& [one, value] : sources_.names) {
    if (one == name) return value;
  }
  if (!name.starts_with("blocks.")) return std::nullopt;
  const std::string_view id = name.substr(7);
  for (const std::size_t block : block_.reads) {
    if (flow_.blocks[block].id == id) return sources_.result(block);
  }
  for (const std::size_t block : block_.reads_around) {
    if (sources_.around->blocks[block].id == id) return sources_.result_around(block);
  }
  return std::nullopt;
}

std::string Values::all_results() {
  std::string out;
  const auto add = [&](const std::string& id, const std::string& value) {
    if (out.size() + value.size() > sandbox::kMostInputBytes) {
      throw TooLarge(
          fmt::format("`blocks.{}` and the others that it names have more than {} bytes, which is "
                      "too large for one expression; name fewer, or take a list item by item in a "
                      "`map`",
                      id, sandbox::kMostInputBytes));
    }
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", dump_json(Json(id)), value);
  };
  for (const std::size_t block : block_.reads) add(flow_.blocks[block].id, sources_.result(block));
  for (const std::size_t block : block_.reads_around)
    add(sources_.around->blocks[block].id, sources_.result_around(block));
  return out;
}

const std::string& Values::inputs() {
  if (inputs_) return *inputs_;
  std::string more;
  for (const auto& [name, value] : sources_.names) more += fmt::format(R"(,"{}":{})", name, value);
  inputs_ = fmt::format(R"({{"input":{},"blocks":{{{}}}{}}})", input(), all_results(), more);
  return *inputs_;
}

Evaluated Values::evaluate(sandbox::Kind kind, const std::string& code) {
  sandbox::Request request;
  request.kind = kind;
  if (kind == sandbox::Kind::kPython || kind == sandbox::Kind::kMonty)
    request.limits = sandbox::kPythonLimits;
  request.code = code;
  request.inputs = inputs();
  if (is_large) {
    request.limits.time_ms = kLongLimit.count();
    request.limits.memory_bytes = sandbox::kMostMemoryBytes;
    request.limits.output_bytes = sandbox::kMostOutputBytes;
  }
  if (spec_.timeout) request.limits.time_ms = static_cast<std::uint32_t>(spec_.timeout->count());
  Result<sandbox::Reply> reply = sources_.evaluate(request);
  if (!reply) return std::unexpected(BlockFailure{"SandboxError", std::string(reply.error().message())});
  if (reply->failure) return std::unexpected(failure_of(*reply->failure));
  return std::move(reply->result);
}

Evaluated Values::script(const std::string& code) {
  return evaluate(sandbox::Kind::kScript, code);
}

Evaluated Values::python(const std::string& code) {
  return evaluate(sandbox::Kind::kPython, code);
}

Evaluated Values::monty(const std::string& code) {
  return evaluate(sandbox::Kind::kMonty, code);
}

Evaluated Values::filled(const Written& tree) {
  std::size_t templates = 0;
  return fill(tree, templates);
}

// As text all the way, so that a number of an expression stays as it is.
Evaluated Values::fill(const Written& tree, std::size_t& templates) {
  if (is_template(tree)) {
    if (++templates > kMaxTemplates) {
      return std::unexpected(
          BlockFailure{"TooManyExpressions", fmt::format("more than {} {{{{ }}}}", kMaxTemplates)});
    }
    const auto& text = tree.get_ref<const std::string&>();
    if (auto known = named(text)) return *std::move(known);
    return evaluate(sandbox::Kind::kTemplate, text);
  }
  if (!tree.is_structured()) return dump_json(tree);
  std::string out(1, tree.is_object() ? '{' : '[');
  for (const auto& [key, value] : tree.items()) {
    Evaluated one = fill(value, templates);
    if (!one) return one;
    if (out.size() > 1) out += ',';
    if (tree.is_object()) out += dump_json(Json(key)) + ':';
    out += *one;
    if (out.size() > sandbox::kMostOutputBytes) return std::unexpected(value_too_large());
  }
  return out + (tree.is_object() ? '}' : ']');
}

std::expected<Json, BlockFailure> Values::document() {
  auto read = read_json(inputs(), kMaxJsonDepth, Integers::kExact);
  if (!read) return std::unexpected(BlockFailure{"ValueError", std::string(read.error().message())});
  return *std::move(read);
}

}  // namespace holdfast::flows
