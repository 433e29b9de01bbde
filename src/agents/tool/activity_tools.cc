#include "tool/activity_tool.h"

namespace holdfast::agent {

std::span<const ActivityTool* const> activity_tools() {
#define HOLDFAST_ADDRESS(tool) &tool,
  static constexpr const ActivityTool* kTools[] = {HOLDFAST_ACTIVITY_TOOLS(HOLDFAST_ADDRESS)};
#undef HOLDFAST_ADDRESS
  return kTools;
}

const ActivityTool* find_activity_tool(std::string_view name) {
  for (const ActivityTool* tool : activity_tools()) {
    if (tool->type.name == name) return tool;
  }
  return nullptr;
}

}  // namespace holdfast::agent
