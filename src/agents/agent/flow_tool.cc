// `type: flow`: a run of a flow as a child workflow. The call's arguments are its input, and its output is
// the answer, which it records for the call itself, when it finishes.

#include "agent/agent_names.h"
#include "agent/children.h"
#include "agent/workflow_tool.h"

namespace holdfast::agent {

namespace {

using namespace protocol;

constexpr std::string_view kSchema =
    R"json({"type": "string", "description": "The flow to run as a child: NAME, or NAME@VERSION. The call's arguments are its input."})json";

struct FlowSettings : ToolSettings {
  std::string flow;  // and perhaps its version; which one that is, is asked when the child begins
};

void read(ToolReader& reader) {
  auto out = std::make_shared<FlowSettings>();
  out->flow = reader.in.required_text("flow");
  if (auto bad = check_flow(out->flow)) reader.in.problem("flow", *bad);
  if (reader.effect_given) reader.in.problem("effect", "a flow is durable itself; remove `effect`");
  reader.tool.effect = Effect::kPure;
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  return settings_of<FlowSettings>(tool).flow;
}

std::optional<std::string> plan(const CallToPlan& call, PlannedCall& planned) {
  planned.sub_agent = agent_of_flow(settings_of<FlowSettings>(call.tool).flow);
  return std::nullopt;
}

Task<ToolAnswer> run(WorkflowCall call) {
  Child child;
  child.workflow_id = child_id(call);
  FlowInput input;
  input.flow = call.planned.sub_agent;
  input.caller = call.caller;
  child.flow = std::move(input);
  return run_child(std::move(call), std::move(child));
}

}  // namespace

constinit const WorkflowTool kFlowTool({.name = "flow",
                                        .schema = kSchema,
                                        .section_needs = "and the flow's name",
                                        .timeout = std::chrono::hours(24),
                                        .read = read,
                                        .canonical = canonical,
                                        .needs = needs_nothing,
                                        .plan = plan},
                                       run);

}  // namespace holdfast::agent
