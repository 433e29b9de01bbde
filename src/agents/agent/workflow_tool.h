#pragma once

// Tools whose calls the workflow makes itself, out of durable timers, children and messages: waiting costs
// nothing. A type is one constant in one file and one line below; a constant that is not listed is unused,
// which does not compile.
//
// Running is deterministic workflow code.

#include <functional>
#include <span>
#include <string_view>

#include "definition/tool_type.h"
#include "holdfast/workflow.h"
#include "protocol/activities.h"
#include "protocol/run.h"

namespace holdfast::agent {

// What a call is made with.
struct WorkflowCall {
  WorkflowCall(workflow::Context& ctx_in, protocol::PlannedCall planned_in, protocol::Caller caller_in)
      : ctx(&ctx_in), planned(std::move(planned_in)), caller(std::move(caller_in)) {}

  workflow::Context* ctx;  // outlives the call
  protocol::PlannedCall planned;
  protocol::Caller caller;                              // this run, for whom it calls
  std::vector<protocol::Undoable>* undoable = nullptr;  // of this run, which answers for what it called
  std::uint32_t flags = 0;                              // Plan::flags
  std::uint32_t* step = nullptr;                        // Progress::step: the number of the last one
  // Asks a person what the call's input, a HumanQuestion, says.
  std::function<Task<protocol::ToolAnswer>(protocol::PlannedCall)> ask;
  // Makes calls as the model's are made, all at once. Of a tool with `makes_calls`.
  std::function<Task<std::vector<protocol::ToolAnswer>>(std::vector<protocol::PlannedCall>)> make;
  // Why no more are made: a message came first. Empty: they are.
  std::function<std::string()> cut_short;
  // Who made the call, of an agent that plans, and the tools that were found by then.
  std::string role;
  std::vector<std::string> loaded;
};

// The type of the failure of a call of which nobody knows whether it had its effect: a person is asked.
inline constexpr const char* kEffectUnknown = "EffectUnknown";

struct WorkflowTool {
  // Throws what fails the call: its message goes to the model, or with kEffectUnknown to a person.
  using Run = Task<protocol::ToolAnswer> (*)(WorkflowCall call);

  consteval WorkflowTool(ToolType type_in, Run run_in, bool only_waits_in = false,
                         bool makes_calls_in = false)
      : type(whole(type_in)), run(run_in), only_waits(only_waits_in), makes_calls(makes_calls_in) {
    if (!run_in) throw "a tool of a workflow type needs a function that runs its calls";
  }

  ToolType type;
  Run run;
  bool only_waits;   // takes none of limits.max_parallel_tools
  bool makes_calls;  // what touches the world of it are calls of their own: it is not cut short itself
};

// The types, one line each.
#define HOLDFAST_WORKFLOW_TOOLS(line)                                                                     \
  line(kActivityTool) line(kAgentTool) line(kAgentsTool) line(kCodeTool) line(kFlowTool) line(kHumanTool) \
      line(kWaitTool)

#define HOLDFAST_DECLARE_TOOL(tool) extern const WorkflowTool tool;
HOLDFAST_WORKFLOW_TOOLS(HOLDFAST_DECLARE_TOOL)
#undef HOLDFAST_DECLARE_TOOL

std::span<const WorkflowTool* const> workflow_tools();
// Null when there is none.
const WorkflowTool* find_workflow_tool(std::string_view name);

// The answer whose text is in the step record of the call.
protocol::ToolAnswer recorded_answer(const protocol::CallRef& call);

}  // namespace holdfast::agent
