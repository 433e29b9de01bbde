#pragma once

// Tools that an agent has without declaring them: what they reach is the run's own, or stands in its
// definition, so no policy is asked. They are offered by what the definition says alone, so that the
// beginning of a prompt stays what it is. A tool of the definition that has such a name takes its place.
//
// One constant in one file, and one line below. Running blocks, on an activity thread; it throws nothing.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/policy.h"
#include "definition/definition.h"
#include "grant/tool_permits.h"
#include "platform/store.h"
#include "tool/activity_tool.h"

namespace holdfast::agent {

// Of an agent that plans, beside those in definition/orchestration.h.
inline constexpr std::string_view kRevisePlanName = "revise_plan";
// Of their step records and events.
inline constexpr std::string_view kBuiltinKind = "builtin";
// So much they may say, however little a tool may.
inline constexpr std::size_t kBuiltinRoom = 2048;

// What a call is made with; all of it outlives the call.
struct BuiltinCall {
  const AgentDefinition& agent;
  const Json& arguments;
  platform::Store& store;
  std::string run;
  std::string conversation;
  std::function<void()> beat;
  const grant::ToolPermits* permits = nullptr;  // null: every tool of the agent
};

struct BuiltinTool {
  std::string_view name;
  std::string_view description;
  std::string_view parameters;  // JSON Schema
  bool (*offered)(const AgentDefinition& agent);
  ToolEnding (*run)(const BuiltinCall& call);
  // In the place of `description`, when that depends on the agent.
  std::string (*describe)(const AgentDefinition& agent) = nullptr;
};

// The types, one line each; in this order they are offered.
#define HOLDFAST_BUILTIN_TOOLS(line)                                                                        \
  line(kMakePlan) line(kReviewPlan) line(kRevisePlan) line(kSearchTools) line(kReadOutput) line(kLoadSkill) \
      line(kReadSkillFile)

#define HOLDFAST_DECLARE_TOOL(tool) extern const BuiltinTool tool;
HOLDFAST_BUILTIN_TOOLS(HOLDFAST_DECLARE_TOOL)
#undef HOLDFAST_DECLARE_TOOL

// As tools of a definition; they live for ever.
std::vector<const ToolSpec*> builtin_tools(const AgentDefinition& agent);
// Null: the tool is none of them.
const BuiltinTool* builtin_of(const ToolSpec& tool);

// The agent's own tool, or a built-in one that it is offered. Null: there is none.
const ToolSpec* tool_named(const AgentDefinition& agent, std::string_view name);
// What the model is told of: `loaded` are tools that it has found. `role`: of an agent that plans.
std::vector<const ToolSpec*> offered_tools(const AgentDefinition& agent,
                                           const std::vector<std::string>& loaded,
                                           std::string_view role = {});
// Whether it may call it. A built-in tool that is no part of planning is everybody's.
bool is_offered(const AgentDefinition& agent, const ToolSpec& tool, std::string_view role);
// What the policy says of a call. What a built-in tool reaches the run has been given already, so none is
// asked about but a plan, by a rule that names it.
Ruling ruling_of(const AgentDefinition& agent, const ToolSpec& tool, const Json& arguments,
                 const PolicyFacts& facts = {});
// Whether that can be said only when the call is about to be made.
bool is_judged_late(const AgentDefinition& agent, const ToolSpec& tool);
// What the model is told of one of them.
std::string description_of(const AgentDefinition& agent, const ToolSpec& tool);
// Why a call cannot be made that names no tool of these.
std::string no_such_tool(const AgentDefinition& agent, std::string_view name);

}  // namespace holdfast::agent
