#include "agent/workflow_tool.h"

namespace holdfast::agent {

std::span<const WorkflowTool* const> workflow_tools() {
#define HOLDFAST_ADDRESS(tool) &tool,
  static constexpr const WorkflowTool* kTools[] = {HOLDFAST_WORKFLOW_TOOLS(HOLDFAST_ADDRESS)};
#undef HOLDFAST_ADDRESS
  return kTools;
}

const WorkflowTool* find_workflow_tool(std::string_view name) {
  for (const WorkflowTool* tool : workflow_tools()) {
    if (tool->type.name == name) return tool;
  }
  return nullptr;
}

protocol::ToolAnswer recorded_answer(const protocol::CallRef& call) {
  protocol::ToolAnswer answer;
  answer.ordinal = call.ordinal;
  answer.id = call.id;
  answer.source = protocol::AnswerSource::kStep;
  answer.key = "tool:" + call.key;
  return answer;
}

}  // namespace holdfast::agent
