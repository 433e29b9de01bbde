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

Json usable_arguments(const Json& arguments, const ToolContext& context) {
  if (context.completion_token.empty()) return arguments;
  Json out = arguments;
  out[std::string(kCompletionUrl)] = context.completion_url;
  out[std::string(kCompletionToken)] = context.completion_token;
  return out;
}

void add_completion_headers(const ToolContext& context, net::Headers& headers) {
  if (context.completion_token.empty()) return;
  headers.emplace_back("Holdfast-Completion-Url", context.completion_url);
  headers.emplace_back("Holdfast-Completion-Token", context.completion_token);
}

}  // namespace holdfast::agent
