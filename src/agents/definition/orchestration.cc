#include "definition/orchestration.h"

#include <algorithm>

#include <fmt/format.h>

#include "definition/definition.h"

namespace holdfast::agent {

namespace {

using spec::MapReader;
using Json = nlohmann::json;

constexpr int kMostSteps = 100;
constexpr int kMostRejections = 100;

constexpr std::string_view kMode =
    R"json({"enum": ["react", "plan", "single"], "description": "react: act by what was seen. plan: make a plan, then carry out its steps. single: one model call, without tools."})json";
constexpr std::string_view kToolCalls =
    R"json({"enum": ["each", "one_activity"], "description": "one_activity: the calls of a turn are made by one activity, one behind the other."})json";
constexpr std::string_view kPlan = R"json({
  "type": "object",
  "additionalProperties": false,
  "description": "Of `mode: plan`.",
  "properties": {
    "planner": {"$ref": "#/$defs/role", "description": "Makes the plan, and the last answer."},
    "reviewer": {"$ref": "#/$defs/role", "description": "Approves a plan before it is carried out, or sends it back to the planner."},
    "executor": {"$ref": "#/$defs/role", "description": "Carries out one step after the other."},
    "max_steps": {"type": "integer", "minimum": 1, "maximum": 100, "description": "Of one plan; 20 by default."},
    "max_rejections": {"type": "integer", "minimum": 0, "maximum": 100, "description": "Of plans by the reviewer, 3 by default; with one more the run fails."}
  }
})json";
constexpr std::string_view kRole = R"json({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "prompt": {"type": "string", "description": "Said to it behind the agent's own prompt."},
    "tools": {"type": "array", "items": {"type": "string"}, "description": "Names of tools. The executor has all unless given; the others have none, and may be given such as change nothing."}
  }
})json";

// The tools of an MCP server are not known before the definition is applied.
bool may_come_from_a_server(const AgentDefinition& agent, const std::string& name) {
  const McpServer* server = server_of_tool(agent.mcp_servers, name);
  return server != nullptr && std::ranges::none_of(agent.tools, [&](const ToolSpec& one) {
           return server_of_tool(agent.mcp_servers, one.name) == server;
         });
}

void read_tools(MapReader& in, const AgentDefinition& agent, bool executes, RoleSpec& out) {
  if (!in.has("tools")) return;
  out.tools.emplace();
  for (const YAML::Node& node : in.list("tools", kMaxTools)) {
    const std::string name = node.IsScalar() ? node.Scalar() : "";
    const ToolSpec* tool = agent.find_tool(name);
    if (!tool && !may_come_from_a_server(agent, name)) {
      in.problem("tools", fmt::format("there is no tool `{}`; name those of spec.tools", name));
    } else if (tool && !executes && tool->effect != Effect::kPure) {
      in.problem("tools", fmt::format("`{}` changes something: it is for the executor alone", name));
    }
    out.tools->push_back(name);
  }
}

RoleSpec parse_role(MapReader& plan, std::string_view name, const AgentDefinition& agent) {
  RoleSpec out;
  MapReader in = plan.map(name);
  out.prompt = in.text("prompt");
  read_tools(in, agent, name == "executor", out);
  in.finish();
  return out;
}

PlanSpec parse_plan(MapReader& spec, const AgentDefinition& agent) {
  PlanSpec out;
  MapReader in = spec.map("plan");
  out.planner = parse_role(in, "planner", agent);
  const bool reviews = in.has("reviewer");
  RoleSpec reviewer = parse_role(in, "reviewer", agent);
  if (reviews) out.reviewer = std::move(reviewer);
  out.executor = parse_role(in, "executor", agent);
  out.max_steps = static_cast<int>(in.integer("max_steps", out.max_steps, 1, kMostSteps));
  out.max_rejections = static_cast<int>(in.integer("max_rejections", out.max_rejections, 0, kMostRejections));
  if (in.has("max_rejections") && !reviews) in.problem("max_rejections", "is for a `reviewer`");
  in.finish();
  return out;
}

Json role_json(const RoleSpec& role) {
  Json out = Json::object();
  if (!role.prompt.empty()) out["prompt"] = role.prompt;
  if (role.tools) out["tools"] = *role.tools;
  return out;
}

bool names(const RoleSpec& role, const std::string& tool) {
  return role.tools && std::ranges::find(*role.tools, tool) != role.tools->end();
}

}  // namespace

const RoleSpec* role_of(const Orchestration& orchestration, std::string_view role) {
  if (!orchestration.planning) return nullptr;
  const PlanSpec& planning = *orchestration.planning;
  if (role == to_string(protocol::Stage::kPlanner)) return &planning.planner;
  if (role == to_string(protocol::Stage::kReviewer)) return planning.reviewer ? &*planning.reviewer : nullptr;
  if (role == to_string(protocol::Stage::kExecutor)) return &planning.executor;
  return nullptr;
}

bool is_for_role(const Orchestration& orchestration, const ToolSpec& tool, std::string_view role) {
  const RoleSpec* spec = role_of(orchestration, role);
  if (!spec) return true;
  if (role == to_string(protocol::Stage::kExecutor) && !spec->tools) return true;
  return names(*spec, tool.name);
}

void parse_orchestration(MapReader& spec, AgentDefinition& out) {
  Orchestration& to = out.orchestration;
  to.one_activity = spec.choice("tool_calls", {"each", "one_activity"}).value_or(0) == 1;
  const std::size_t mode = spec.choice("mode", {"react", "plan", "single"}).value_or(0);
  const bool plans = mode == 1;
  to.single = mode == 2;
  PlanSpec planning = parse_plan(spec, out);
  if (!plans && spec.has("plan")) spec.problem("plan", "is for `mode: plan`; add that, or remove it");
  if (!plans) return;
  to.planning = std::move(planning);
  for (std::string_view own : {kMakePlanName, kReviewPlanName}) {
    if (out.find_tool(own))
      spec.problem("tools", fmt::format("`{}` is a tool of the mode `plan`; give yours another name", own));
  }
}

void check_single(MapReader& spec, const AgentDefinition& definition) {
  if (!definition.orchestration.single) return;
  const auto refuse = [&spec](std::string_view what) {
    spec.problem("mode", fmt::format("`single` is one model call: {}", what));
  };
  if (!definition.tools.empty() || !definition.mcp_servers.empty()) refuse("it has no tools; remove them");
  if (!definition.skills.empty()) refuse("it loads no `skills`; remove them");
  if (definition.limits.run_timeout.count() > 0)
    refuse("use the `timeout` of the model, not `limits.run_timeout`");
  if (definition.budgets.wall_time) refuse("use the `timeout` of the model, not `budgets.wall_time`");
}

void add_orchestration(Json& spec, const Orchestration& orchestration) {
  if (orchestration.one_activity) spec["tool_calls"] = "one_activity";
  if (orchestration.single) spec["mode"] = "single";
  if (!orchestration.planning) return;
  const PlanSpec& planning = *orchestration.planning;
  spec["mode"] = "plan";
  Json plan = {{"max_steps", planning.max_steps}};
  for (const auto& [name, role] :
       {std::pair("planner", &planning.planner), std::pair("executor", &planning.executor)}) {
    if (Json said = role_json(*role); !said.empty()) plan[name] = said;
  }
  if (planning.reviewer) {
    plan["reviewer"] = role_json(*planning.reviewer);
    plan["max_rejections"] = planning.max_rejections;
  }
  spec["plan"] = plan;
}

void add_orchestration_schema(nlohmann::ordered_json& schema) {
  using Ordered = nlohmann::ordered_json;
  Ordered& spec = schema["properties"]["spec"]["properties"];
  spec["mode"] = Ordered::parse(kMode);
  spec["plan"] = Ordered::parse(kPlan);
  spec["tool_calls"] = Ordered::parse(kToolCalls);
  schema["$defs"]["role"] = Ordered::parse(kRole);
}

}  // namespace holdfast::agent
