// `type: publish`: tells people or programs something, by an agents' tool that sends messages: in `with`
// stands the section of one of them, and `arguments`. The effect ledger is its outbox: the intent is stored
// before it is sent, and it is sent again under the same id until it has arrived.

#include <fmt/format.h>

#include "block/tool_call.h"
#include "definition/names.h"
#include "tool/activity_tool.h"

namespace holdfast::flows {

namespace {

Json schema(std::string_view) {
  std::vector<const agent::ToolType*> tools;
  for (const agent::ActivityTool* tool : agent::activity_tools()) {
    if (tool->type.notifies) tools.push_back(&tool->type);
  }
  return call_schema(tools);
}

void read(BlockReader& reader) {
  std::vector<std::string_view> names;
  std::vector<const agent::ActivityTool*> given;
  for (const agent::ActivityTool* tool : agent::activity_tools()) {
    if (!tool->type.notifies) continue;
    names.push_back(tool->type.name);
    if (reader.with.has(tool->type.name)) given.push_back(tool);
  }
  if (given.size() == 1) return read_call_of(given.front()->type, reader);
  reader.block.problem("with", fmt::format("needs the section of one tool that sends messages: {}",
                                           agent::alternatives(names)));
  for (std::string_view name : names) reader.with.child(name);
  for (std::string_view name : {"arguments", "effect"}) reader.with.child(name);
}

}  // namespace

constinit const RunnableBlock kPublishBlock = whole({.type = "publish",
                                                     .schema = schema,
                                                     .read = read,
                                                     .canonical = tool_call_json,
                                                     .run = run_tool_call,
                                                     .has_timeout = true});

}  // namespace holdfast::flows
