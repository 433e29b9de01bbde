// make_plan, review_plan and revise_plan: how an agent of `mode: plan` says what is to be done, whether it is
// good, and that it cannot be done so. The plan itself is the arguments of the call, in the conversation; the
// run is told how many steps it has, and whether it is good.

#include <fmt/format.h>

#include "activities/builtin_tools.h"

namespace holdfast::agent {

namespace {

bool plans(const AgentDefinition& agent) {
  return agent.orchestration.planning.has_value();
}

bool reviews(const AgentDefinition& agent) {
  return plans(agent) && agent.orchestration.planning->reviewer;
}

ToolEnding make(const BuiltinCall& call) {
  const Json& steps = call.arguments.at("steps");
  const auto most = static_cast<std::size_t>(call.agent.orchestration.planning->max_steps);
  if (steps.size() > most)
    return {Ending::kFailed,
            fmt::format("the plan has {} steps; make one of at most {}", steps.size(), most)};
  ToolEnding out{Ending::kDone,
                 fmt::format("A plan of {} step{}.", steps.size(), steps.size() == 1 ? "" : "s")};
  out.more = {{"planned_steps", steps.size()}};
  return out;
}

ToolEnding review(const BuiltinCall& call) {
  const bool approved = call.arguments.at("verdict") == "approve";
  const std::string why = call.arguments.value("comment", "");
  if (!approved && why.empty()) return {Ending::kFailed, "say in `comment` what is wrong with the plan"};
  ToolEnding out{Ending::kDone, approved ? "The plan is approved." : "The plan is rejected: " + why};
  out.more = {{"approved", approved}};
  return out;
}

ToolEnding revise(const BuiltinCall& call) {
  ToolEnding out{Ending::kDone, "The plan goes back to the planner: " + call.arguments.value("reason", "")};
  out.more = {{"approved", false}};
  return out;
}

}  // namespace

constinit const BuiltinTool kMakePlan{
    .name = kMakePlanName,
    .description =
        "Makes the plan: steps that are carried out one after the other, each "
        "by itself. A new plan takes the place of what is left of the one before.",
    .parameters = R"json({
  "type": "object",
  "required": ["steps"],
  "additionalProperties": false,
  "properties": {
    "steps": {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1, "maxLength": 4000}, "description": "What is to be done, in this order, with all that is needed to do it."}
  }
})json",
    .offered = plans,
    .run = make};

constinit const BuiltinTool kReviewPlan{.name = kReviewPlanName,
                                        .description = "Says whether the plan may be carried out.",
                                        .parameters = R"json({
  "type": "object",
  "required": ["verdict"],
  "additionalProperties": false,
  "properties": {
    "verdict": {"type": "string", "enum": ["approve", "reject"]},
    "comment": {"type": "string", "maxLength": 4000, "description": "What is wrong with it, and what would be better."}
  }
})json",
                                        .offered = reviews,
                                        .run = review};

constinit const BuiltinTool kRevisePlan{
    .name = kRevisePlanName,
    .description =
        "Gives the plan back to the planner, when a step cannot be carried out "
        "as it was planned, or what came of it makes the next ones wrong.",
    .parameters = R"json({
  "type": "object",
  "required": ["reason"],
  "additionalProperties": false,
  "properties": {"reason": {"type": "string", "minLength": 1, "maxLength": 4000, "description": "What the planner must know."}}
})json",
    .offered = plans,
    .run = revise};

}  // namespace holdfast::agent
