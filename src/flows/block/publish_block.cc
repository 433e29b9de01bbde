// `type: publish`: tells people or programs something, by an agents' tool that sends messages: in `with`
// stands the section of one of them, and `arguments`. The effect ledger is its outbox: the intent is stored
// before it is sent, and it is sent again under the same id until it has arrived.

#include <fmt/format.h>

#include "block/tool_call.h"
#include "definition/names.h"
#include "tool/activity_tool.h"

namespace holdfast::flows {

namespace {

std::vector<const agent::ToolType*> types_that_tell() {
  std::vector<const agent::ToolType*> out;
  for (const agent::ActivityTool* tool : agent::activity_tools()) {
    if (tool->type.notifies) out.push_back(&tool->type);
  }
  return out;
}

Json schema(std::string_view) {
  return call_schema(types_that_tell());
}

void read(BlockReader& reader) {
  const std::vector<const agent::ToolType*> types = types_that_tell();
  if (const agent::ToolType* type = only_section(reader.with, types)) return read_call_of(*type, reader);
  std::vector<std::string_view> names;
  for (const agent::ToolType* type : types) names.push_back(type->name);
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
                                                     .write = write_tool_call,
                                                     .run = run_tool_call,
                                                     .has_timeout = true});

}  // namespace holdfast::flows
