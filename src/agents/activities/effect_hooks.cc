#include "activities/effect_hooks.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/kept_numbers.h"
#include "base/text.h"
#include "spec/json_schema.h"
#include "spec/reference_template.h"

namespace holdfast::agent {

// An at_most_once call is made once whatever becomes of the attempt.
Json attempts_of(const ToolSpec& tool) {
  const RetrySpec& retry = tool.retry;
  return {{"timeout_ms", tool.timeout.count()},
          {"retry",
           {{"initial_ms", retry.initial.count()},
            {"backoff", retry.backoff},
            {"maximum_ms", retry.max_interval.count()},
            {"attempts", tool.effect == Effect::kAtMostOnce ? 0 : retry.attempts}}}};
}

namespace {

spec::Truth truth_of(bool value) {
  return value ? spec::Truth::kTrue : spec::Truth::kFalse;
}

Json attempts_of(const AgentDefinition& agent, const HookCall& hook) {
  const ToolSpec* tool = agent.find_tool(hook.tool);
  return tool ? attempts_of(*tool) : Json();
}

// The text of a number of the values that is only kept as it was written.
std::optional<std::string> kept_number(const Json& value) {
  if (value.is_binary()) return std::string(value.get_binary().begin(), value.get_binary().end());
  if (!value.is_structured()) return std::nullopt;
  for (const Json& item : value) {
    if (auto number = kept_number(item)) return number;
  }
  return std::nullopt;
}

}  // namespace

void plan_hooks(const AgentDefinition& agent, const ToolSpec& tool, protocol::PlannedCall& planned) {
  planned.park_on_failure = tool.hooks.park_on_failure;
  if (tool.hooks.compensate) planned.undo = attempts_of(agent, *tool.hooks.compensate);
  if (!tool.hooks.reconcile) return;
  planned.reconcile = attempts_of(agent, tool.hooks.reconcile->call);
  if (planned.reconcile.is_object()) planned.reconcile["after_ms"] = tool.hooks.reconcile->after.count();
}

Json hook_document(const Json& arguments, std::string_view key, std::string_view result) {
  // A number that no type of 64 bits holds stays what it is: another one would take back another effect.
  Json value = parse_kept(result);
  if (value.is_discarded()) value = result;
  return {{"arguments", arguments}, {"key", key}, {"result", std::move(value)}};
}

Result<Json> hook_arguments(const HookCall& hook, const ToolSpec& called, const Json& document) {
  auto filled = spec::fill_references(hook.arguments, document);
  if (!filled) {
    return fail(Code::kInvalidArgument,
                fmt::format("the arguments of `{}` cannot be made: {}", hook.tool, filled.error().message()));
  }
  if (const auto number = kept_number(*filled)) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("the arguments of `{}` cannot be made: the number {} has more digits, or is larger, "
                    "than can be given on exactly; let the tool answer with it as a text",
                    hook.tool, cut_text(*number, 60)));
  }
  if (auto bad = spec::validate(called.parameters, *filled))
    return fail(Code::kInvalidArgument, fmt::format("wrong arguments for `{}`: {}", hook.tool, *bad));
  return filled;
}

spec::Truth took_effect(const Reconcile& hook, std::string_view answer) {
  Json result = parse_json(answer);
  const bool is_json = !result.is_discarded();
  if (hook.happened) {
    if (!is_json) result = answer;
    return hook.happened->evaluate(result.is_object() ? result : Json{{"result", result}});
  }
  if (!is_json) return spec::Truth::kUnknown;
  if (result.is_array()) return truth_of(!result.empty());
  if (!result.is_object()) return spec::Truth::kUnknown;
  if (auto happened = result.find("happened"); happened != result.end())
    return happened->is_boolean() ? truth_of(happened->get<bool>()) : spec::Truth::kUnknown;
  auto rows = result.find("rows");
  return rows != result.end() && rows->is_array() ? truth_of(!rows->empty()) : spec::Truth::kUnknown;
}

}  // namespace holdfast::agent
