// `type: agents`: several sub-agents for one call, at the same time. Each is told the call's `input`, or one
// item of a list; the answer is what all of them said, or the first, and whoever is late is cancelled.

#include <fmt/format.h>

#include <chrono>

#include "agent/agent_names.h"
#include "agent/bookkeeping.h"
#include "agent/children.h"
#include "agent/workflow_tool.h"
#include "protocol/names.h"

namespace holdfast::agent {

namespace {

using namespace protocol;

constexpr std::int64_t kMostAgents = 32;

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["run"],
  "properties": {
    "run": {"type": "array", "minItems": 1, "maxItems": 32, "items": {"type": "string"}, "description": "The agents to run at the same time: NAME, NAME@LABEL or NAME@VERSION."},
    "join": {"enum": ["all", "first"], "description": "all: the answer has what each came to. first: the first that completes is the answer, and the others are cancelled."},
    "for_each": {"type": "string", "description": "An argument of the call, a list: the one agent is run for each of its items."},
    "max": {"type": "integer", "minimum": 1, "maximum": 32, "description": "Of the items of `for_each`; 8 by default."}
  }
})json";

struct AgentsSettings : ToolSettings {
  std::vector<std::string> run;  // what they are, versions included, is asked when each begins
  bool first = false;
  std::string for_each;  // empty: all are told `input`
  std::int64_t max = 8;
};

Json parameters_of(const AgentsSettings& settings) {
  Json told = {{"type", "string"}, {"description", "What the agents are to do."}};
  std::string name = "input";
  if (!settings.for_each.empty()) {
    name = settings.for_each;
    told = {{"type", "array"},
            {"items", {{"type", "string"}}},
            {"minItems", 1},
            {"maxItems", settings.max},
            {"description", "What each agent is to do; they work at the same time."}};
  }
  return {{"type", "object"}, {"properties", {{name, told}}}, {"required", Json::array({name})}};
}

void read_agents(spec::MapReader& in, AgentsSettings& out) {
  const Json run = in.json("run");
  if (run.is_null()) return in.missing("run", "with the names of the agents");
  if (!run.is_array() || run.empty() || run.size() > kMostAgents)
    return in.problem("run", fmt::format("must be a list of 1 to {} agents", kMostAgents));
  for (const Json& one : run) {
    if (!one.is_string() || one.get_ref<const std::string&>().empty())
      return in.problem("run", "must be a list of names of agents");
    if (auto bad = check_agent(one.get<std::string>())) return in.problem("run", *bad);
    out.run.push_back(one.get<std::string>());
  }
}

void read(ToolReader& reader) {
  auto out = std::make_shared<AgentsSettings>();
  spec::MapReader in = reader.in.map("agents");
  read_agents(in, *out);
  out->first = in.choice("join", {"all", "first"}).value_or(0) == 1;
  out->for_each = in.text("for_each");
  out->max = in.integer("max", out->max, 1, kMostAgents);
  if (!out->for_each.empty() && out->run.size() > 1)
    in.problem("for_each", "runs one agent for each item; `run` names several");
  if (in.has("max") && out->for_each.empty()) in.problem("max", "is for `for_each`");
  in.finish();
  if (!reader.in.has("parameters")) reader.tool.parameters = parameters_of(*out);
  if (!out->for_each.empty() && !reader.tool.parameters["properties"].contains(out->for_each))
    reader.in.problem(
        "agents", fmt::format("`for_each` names `{}`, which `parameters` does not declare", out->for_each));
  if (reader.effect_given) reader.in.problem("effect", "sub-agents are durable themselves; remove `effect`");
  reader.tool.effect = Effect::kPure;
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  const auto& settings = settings_of<AgentsSettings>(tool);
  Json out = {{"run", settings.run}, {"join", settings.first ? "first" : "all"}};
  if (settings.for_each.empty()) return out;
  out["for_each"] = settings.for_each;
  out["max"] = settings.max;
  return out;
}

std::optional<std::string> plan(const CallToPlan& call, PlannedCall& planned) {
  const auto& settings = settings_of<AgentsSettings>(call.tool);
  planned.input = {{"run", settings.run}, {"first", settings.first}};
  if (settings.for_each.empty()) return std::nullopt;
  const auto items = call.arguments.find(settings.for_each);
  const bool fits = items != call.arguments.end() && items->is_array() && !items->empty() &&
                    items->size() <= static_cast<std::size_t>(settings.max);
  if (!fits) return fmt::format("`{}` must be a list of 1 to {} items", settings.for_each, settings.max);
  planned.input["for_each"] = settings.for_each;
  planned.input["items"] = items->size();
  return std::nullopt;
}

JoinInput members_of(const WorkflowCall& call) {
  const Json& input = call.planned.input;
  const auto agents = input.at("run").get<std::vector<std::string>>();
  const std::size_t count = input.value("items", agents.size());
  JoinInput out;
  out.agent = call.caller.agent;
  out.version = call.caller.version;
  out.call = call.planned.call;
  out.kind = call.planned.kind;
  out.first = input.value("first", false);
  for (std::size_t i = 0; i < count; ++i) {
    Member& member = out.members.emplace_back();
    member.agent = agents.size() == 1 ? agents.front() : agents[i];
    member.key = fmt::format("{}-{}", call.planned.call.key, i + 1);
    member.step = ++*call.step;
  }
  return out;
}

ChildrenWanted wanted_of(const WorkflowCall& call, const JoinInput& join) {
  ChildrenWanted out;
  out.first = join.first;
  out.timeout = std::chrono::milliseconds(call.planned.timeout_ms);
  for (const Member& member : join.members) {
    const std::size_t number = out.children.size() + 1;
    Child& child = out.children.emplace_back();
    child.workflow_id = fmt::format("{}.{}", child_id(call), number);
    child.input.agent = member.agent;
    Caller caller = call.caller;
    caller.call.key = member.key;
    caller.call.step = member.step;
    caller.for_each = call.planned.input.value("for_each", "");
    caller.item = static_cast<std::uint32_t>(number - 1);
    child.input.caller = std::move(caller);
  }
  return out;
}

Task<ToolAnswer> run(WorkflowCall call) {
  JoinInput join = members_of(call);
  StepInput step;
  step.call = call.planned.call;
  step.kind = call.planned.kind;
  step.details = {{"agents", join.members.size()}, {"join", join.first ? "first" : "all"}};
  co_await call.ctx->activity<void>(kStepStartedActivity, bookkeeping(), step);
  ChildrenEnd all = co_await run_children(call.ctx, wanted_of(call, join), call.undoable);
  for (std::size_t i = 0; i < all.ends.size(); ++i) {
    join.members[i].end = all.ends[i].end;
    join.members[i].error = all.ends[i].error;
  }
  join.winner = static_cast<std::uint32_t>(all.winner);
  co_await call.ctx->activity<void>(kJoinActivity, bookkeeping(), join);
  co_return recorded_answer(call.planned.call);
}

}  // namespace

constinit const WorkflowTool kAgentsTool({.name = "agents",
                                          .schema = kSchema,
                                          .section_needs = "with `run`, the agents' names",
                                          .timeout = std::chrono::hours(24),
                                          .read = read,
                                          .canonical = canonical,
                                          .needs = needs_nothing,
                                          .plan = plan},
                                         run);

}  // namespace holdfast::agent
