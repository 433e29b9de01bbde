// `type: agent`: another agent as a child workflow, with a history, a conversation and retries of its own. It
// records its answer for the call itself, when it finishes.

#include "agent/agent_names.h"
#include "agent/children.h"
#include "agent/workflow_tool.h"
#include "holdfast/failure.h"
#include "protocol/names.h"

namespace holdfast::agent {

namespace {

using namespace protocol;

constexpr std::string_view kSchema =
    R"json({"type": "string", "description": "The agent to run as a child: NAME, NAME@LABEL or NAME@VERSION."})json";

struct AgentSettings : ToolSettings {
  std::string agent;  // and perhaps its version; which one that is, is asked when the child begins
};

Json parameters() {
  return {{"type", "object"},
          {"properties", {{"input", {{"type", "string"}, {"description", "What the agent is to do."}}}}},
          {"required", Json::array({"input"})}};
}

void read(ToolReader& reader) {
  auto out = std::make_shared<AgentSettings>();
  out->agent = reader.in.required_text("agent");
  if (auto bad = check_agent(out->agent)) reader.in.problem("agent", *bad);
  if (reader.effect_given) reader.in.problem("effect", "a sub-agent is durable itself; remove `effect`");
  reader.tool.effect = Effect::kPure;
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  return settings_of<AgentSettings>(tool).agent;
}

std::optional<std::string> plan(const CallToPlan& call, PlannedCall& planned) {
  planned.sub_agent = settings_of<AgentSettings>(call.tool).agent;
  return std::nullopt;
}

// Runs that began before sub-agents were cancelled in time: the engine ends the late ones.
Task<ToolAnswer> run_timed_by_engine(WorkflowCall call, Child child) {
  auto options = ChildOptions()
                     .workflow_id(child.workflow_id)
                     .task_queue(kAgentQueue)
                     .execution_timeout(std::chrono::milliseconds(call.planned.timeout_ms))
                     .parent_close(ParentClosePolicy::kRequestCancel);
  RunResult result = co_await call.ctx->child<RunResult>(kWorkflowType, options, child.input);
  call.undoable->insert(call.undoable->end(), result.undoable.begin(), result.undoable.end());
  co_return recorded_answer(call.planned.call);
}

Task<ToolAnswer> run(WorkflowCall call) {
  Child child;
  child.workflow_id = child_id(call);
  child.input.agent = call.planned.sub_agent;
  child.input.caller = call.caller;
  if (call.planned.input.is_object()) {  // one whose definition stands in a block of a flow
    child.input.version = call.planned.input.value("version", "");
    child.input.single = call.planned.input.value("single", false);
  }
  if ((call.flags & kChildrenFlag) == 0) return run_timed_by_engine(std::move(call), std::move(child));
  return run_child(std::move(call), std::move(child));
}

}  // namespace

constinit const WorkflowTool kAgentTool({.name = "agent",
                                         .schema = kSchema,
                                         .section_needs = "and the agent's name",
                                         .timeout = std::chrono::hours(24),
                                         .parameters = parameters,
                                         .read = read,
                                         .canonical = canonical,
                                         .needs = needs_nothing,
                                         .plan = plan},
                                        run);

}  // namespace holdfast::agent
