#include "activities/edited_call.h"

#include <fmt/format.h>

#include "activities/builtin_tools.h"
#include "activities/catalog.h"
#include "base/json.h"
#include "spec/json_schema.h"

namespace holdfast::agent {

EditedCall rule_on_edit(const AgentDefinition& agent, std::string_view name, std::string_view text,
                        const Json& bound, WallTime now) {
  EditedCall out;
  const ToolSpec* tool = tool_named(agent, name);
  auto arguments = read_json(text, kMaxJsonDepth, Integers::kExact);
  if (!tool || !arguments || !arguments->is_object()) {
    out.reason = "the edited arguments are no JSON object";
    return out;
  }
  const auto wrong = [&out](const std::string& why) {
    out.reason = fmt::format("the edited arguments are wrong: {}", why);
    return out;
  };
  if (auto bad = rebind_arguments(*arguments, bound)) return wrong(*bad);
  if (auto bad = spec::validate(tool->parameters, *arguments)) return wrong(*bad);
  PlannedCall planned;
  if (tool->type->plan) {
    if (auto bad = tool->type->plan({*tool, *arguments, now}, planned)) return wrong(*bad);
  }
  out.input = planned.input;
  PolicyFacts facts;
  facts.now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  Ruling ruling = ruling_of(agent, *tool, *arguments, facts);
  out.verdict = ruling.action == Action::kDeny ? Verdict::kDeny : Verdict::kAllow;
  out.reason = ruling.reason;
  out.canonical = dump_json(*arguments);
  return out;
}

Status check_edit(platform::Store& store, const platform::Approval& approval, std::string_view arguments,
                  WallTime now) {
  const auto run = store.run(approval.run);
  if (!run || run->agent != approval.agent || run->definition_hash.empty()) return {};
  const auto stored = store.definition(run->agent, run->definition_hash);
  if (!stored) return {};
  const auto agent = parse_definition(stored->text, run->agent);
  if (!agent) return {};
  const ToolSpec* tool = tool_named(*agent, approval.tool);
  const Json bound = tool ? bound_values_of(*tool, parse_json(approval.arguments)) : Json();
  const EditedCall ruled = rule_on_edit(*agent, approval.tool, arguments, bound, now);
  switch (ruled.verdict) {
    case Verdict::kInvalid: return {Code::kInvalidArgument, ruled.reason};
    case Verdict::kDeny: return {Code::kFailedPrecondition, ruled.reason};
    default: return {};
  }
}

}  // namespace holdfast::agent
