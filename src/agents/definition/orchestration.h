#pragma once

// `mode`, `plan` and `tool_calls` of agent.yaml: whether an agent acts by what it sees, or makes a plan and
// carries it out; who plans, reviews and executes, each with what it needs; and whether the calls of a turn
// are one activity or one each. Absent keys are left out of the canonical form, so that versions without them
// keep their hash. Values and pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "protocol/run.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

struct AgentDefinition;
struct ToolSpec;

struct RoleSpec {
  std::string prompt;                             // behind the agent's own
  std::optional<std::vector<std::string>> tools;  // by name; none: those that the role has by itself
};

// Of an agent that plans. Models of the roles are in `models`, by their names: planner, reviewer, executor.
struct PlanSpec {
  RoleSpec planner;
  std::optional<RoleSpec> reviewer;  // none: a plan is carried out as it was made
  RoleSpec executor;
  int max_steps = 20;
  int max_rejections = 3;
};

struct Orchestration {
  std::optional<PlanSpec> planning;  // mode plan
  bool single = false;               // mode single: one model call, and no tools
  bool one_activity = false;
};

// Built-in tools of an agent that plans.
inline constexpr std::string_view kMakePlanName = "make_plan";
inline constexpr std::string_view kReviewPlanName = "review_plan";

// The one who answers: null for an agent that has no roles.
const RoleSpec* role_of(const Orchestration& orchestration, std::string_view role);
// Whether a role may call a tool. By itself the executor may call all, the others none: a plan is made before
// anything is done.
bool is_for_role(const Orchestration& orchestration, const ToolSpec& tool, std::string_view role);

// When the tools are read.
void parse_orchestration(spec::MapReader& spec, AgentDefinition& out);
// When everything is: what does not go with `mode: single`.
void check_single(spec::MapReader& spec, const AgentDefinition& definition);
void add_orchestration(nlohmann::json& spec, const Orchestration& orchestration);
void add_orchestration_schema(nlohmann::ordered_json& schema);

}  // namespace holdfast::agent
