#pragma once

// A block that is a call of an agents' tool: in `with` stands what a definition of that tool has, its section
// and `effect`, and `arguments`, the values of its arguments, in which {{ }} are filled. Pure.

#include "block/block.h"

namespace holdfast::flows {

// The type whose section stands there, if it is one of `types` and the only one; else null.
const agent::ToolType* only_section(spec::MapReader& in, std::span<const agent::ToolType* const> types);
// The section of that type, and `effect`, into `tool`.
void read_section(const agent::ToolType& type, spec::MapReader& in, std::string_view base_directory,
                  agent::ToolSpec& tool);
// What is given is what the tool takes.
Json parameters_of(const Json& arguments);
// A call of a tool of that type.
void read_call_of(const agent::ToolType& type, BlockReader& reader);
// Of the tool type that is called like the block's: of those that activities call, or of the workflow's.
void read_tool_call(BlockReader& reader);
void read_workflow_call(BlockReader& reader);
// JSON Schema of `with`: the section of one of these tools, `effect` and `arguments`.
Json call_schema(std::span<const agent::ToolType* const> tools);
Json tool_call_schema(std::string_view type);
Json workflow_call_schema(std::string_view type);
Json tool_call_json(const BoundBlock& block);
// What a section in its canonical form holds that is sent as it was written, in its order.
void write_section(const agent::ToolSpec& tool, Written& call);
// That, and the arguments in their order: they are sent in it, so that it is part of the version.
void write_tool_call(const BoundBlock& block, Written& with);
// The arguments.
BlockResult run_tool_call(const BoundBlock& block, Values& values);

// The block of the tool type of that name.
consteval RunnableBlock tool_block(std::string_view type) {
  return whole({.type = type,
                .schema = tool_call_schema,
                .read = read_tool_call,
                .canonical = tool_call_json,
                .write = write_tool_call,
                .run = run_tool_call,
                .has_timeout = true});
}

// The same, where the workflow makes the call.
consteval RunnableBlock workflow_block(std::string_view type, bool has_timeout) {
  return whole({.type = type,
                .schema = workflow_call_schema,
                .read = read_workflow_call,
                .canonical = tool_call_json,
                .write = write_tool_call,
                .run = run_tool_call,
                .has_timeout = has_timeout,
                .calls = type});
}

}  // namespace holdfast::flows
