#include "base/json.h"
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

Written written_arguments(const Json& arguments, const ToolContext& context) {
  if (!context.written.empty()) {
    auto read = read_json<Written>(context.written, kMaxJsonDepth, Integers::kExact);
    if (read && read->is_object()) return *std::move(read);
  }
  return arguments;
}

std::string WrittenValues::text(const std::string& name) {
  if (!written_) written_ = written_arguments(arguments_, context_);
  return dump_json(written_->at(name));
}

namespace {

template <class Object>
Object with_completion(Object arguments, const ToolContext& context) {
  if (context.completion_token.empty()) return arguments;
  arguments[std::string(kCompletionUrl)] = context.completion_url;
  arguments[std::string(kCompletionToken)] = context.completion_token;
  return arguments;
}

}  // namespace

Json usable_arguments(const Json& arguments, const ToolContext& context) {
  return with_completion(arguments, context);
}

Written usable_arguments(const Written& arguments, const ToolContext& context) {
  return with_completion(arguments, context);
}

void add_completion_headers(const ToolContext& context, net::Headers& headers) {
  if (context.completion_token.empty()) return;
  headers.emplace_back("Holdfast-Completion-Url", context.completion_url);
  headers.emplace_back("Holdfast-Completion-Token", context.completion_token);
}

}  // namespace holdfast::agent
