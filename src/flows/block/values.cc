#include "block/values.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace holdfast::flows {

namespace {

BlockFailure failure_of(const sandbox::Failure& failure) {
  std::string where;
  if (failure.line > 0) where = fmt::format("line {}, column {}: ", failure.line, failure.column);
  const std::string name = failure.name.empty() ? "" : failure.name + ": ";
  return {std::string(sandbox::fault_name(failure.fault)), where + name + failure.message};
}

}  // namespace

bool is_template(const Json& value) {
  return value.is_string() && value.get_ref<const std::string&>().find("{{") != std::string::npos;
}

const std::string& Values::input() {
  if (!input_) input_ = sources_.input();
  return *input_;
}

const std::string& Values::inputs() {
  if (inputs_) return *inputs_;
  std::string blocks;
  for (const std::size_t block : block_.reads) {
    blocks += fmt::format("{}{}:{}", blocks.empty() ? "" : ",", dump_json(Json(flow_.blocks[block].id)),
                          sources_.result(block));
  }
  inputs_ = fmt::format(R"({{"input":{},"blocks":{{{}}}}})", input(), blocks);
  return *inputs_;
}

Evaluated Values::evaluate(sandbox::Kind kind, const std::string& code) {
  sandbox::Request request;
  request.kind = kind;
  request.code = code;
  request.inputs = inputs();
  if (spec_.timeout) request.limits.time_ms = static_cast<std::uint32_t>(spec_.timeout->count());
  Result<sandbox::Reply> reply = sources_.evaluate(request);
  if (!reply) return std::unexpected(BlockFailure{"SandboxError", std::string(reply.error().message())});
  if (reply->failure) return std::unexpected(failure_of(*reply->failure));
  return std::move(reply->result);
}

Evaluated Values::script(const std::string& code) {
  return evaluate(sandbox::Kind::kScript, code);
}

Evaluated Values::filled(const Json& tree) {
  std::size_t templates = 0;
  return fill(tree, templates);
}

// As text all the way, so that a number of an expression stays as it is.
Evaluated Values::fill(const Json& tree, std::size_t& templates) {
  if (is_template(tree)) {
    if (++templates > kMaxTemplates) {
      return std::unexpected(
          BlockFailure{"TooManyExpressions", fmt::format("more than {} {{{{ }}}}", kMaxTemplates)});
    }
    return evaluate(sandbox::Kind::kTemplate, tree.get<std::string>());
  }
  if (!tree.is_structured()) return dump_json(tree);
  std::string out(1, tree.is_object() ? '{' : '[');
  for (const auto& [key, value] : tree.items()) {
    Evaluated one = fill(value, templates);
    if (!one) return one;
    if (out.size() > 1) out += ',';
    if (tree.is_object()) out += dump_json(Json(key)) + ':';
    out += *one;
    if (out.size() > sandbox::kMostOutputBytes)
      return std::unexpected(BlockFailure{"output_limit", "its value is too large"});
  }
  return out + (tree.is_object() ? '}' : ']');
}

std::expected<Json, BlockFailure> Values::document() {
  auto read = read_json(inputs(), kMaxJsonDepth, Integers::kExact);
  if (!read) return std::unexpected(BlockFailure{"ValueError", std::string(read.error().message())});
  return *std::move(read);
}

}  // namespace holdfast::flows
