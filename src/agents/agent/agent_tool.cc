// `type: agent`: another agent as a child workflow, with a history, a conversation and retries of its own. It
// records its answer for the call itself, when it finishes.

#include <fmt/format.h>

#include "agent/workflow_tool.h"
#include "definition/names.h"
#include "protocol/agent_reference.h"
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
  const Result<AgentReference> reference = parse_agent_reference(out->agent);
  if (!reference) {
    reader.in.problem("agent", reference.error().message());
  } else if (!out->agent.empty() && !is_agent_name(reference->agent)) {
    reader.in.problem(
        "agent",
        "must be an agent's name, lower-case letters, digits and `-`, perhaps with a label or a "
        "version: researcher@production");
  }
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

Task<ToolAnswer> run(WorkflowCall call) {
  RunInput child;
  child.agent = call.planned.sub_agent;
  child.caller = call.caller;
  auto options = ChildOptions()
                     .workflow_id(fmt::format("{}.{}", call.caller.run, call.planned.call.key.substr(0, 12)))
                     .task_queue(kAgentQueue)
                     .execution_timeout(std::chrono::milliseconds(call.planned.timeout_ms))
                     .parent_close(ParentClosePolicy::kRequestCancel);
  RunResult result = co_await call.ctx->child<RunResult>(kWorkflowType, options, child);
  call.undoable->insert(call.undoable->end(), result.undoable.begin(), result.undoable.end());
  co_return recorded_answer(call.planned.call);
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
