#include "block/tool_call.h"

#include "agent/workflow_tool.h"
#include "block/values.h"
#include "block/with_schema.h"
#include "definition/mcp_servers.h"
#include "tool/activity_tool.h"
#include "tool/written_section.h"

namespace holdfast::flows {

namespace {

struct ToolCallSettings : BlockSettings {
  Written arguments;  // an object
};

Written read_arguments(spec::MapReader& with) {
  Written arguments = read_written(with, "arguments");
  if (arguments.is_null()) return Written::object();
  if (arguments.is_object()) return arguments;
  with.problem("arguments", "must be a mapping of the tool's arguments to their values");
  return Written::object();
}

}  // namespace

Json parameters_of(const Json& arguments) {
  Json properties = Json::object();
  for (const auto& [name, unused] : arguments.items()) properties[name] = Json::object();
  return {{"type", "object"}, {"properties", std::move(properties)}};
}

const agent::ToolType* only_section(spec::MapReader& in, std::span<const agent::ToolType* const> types) {
  const agent::ToolType* out = nullptr;
  std::size_t given = 0;
  for (const agent::ToolType* type : types) {
    if (!in.has(type->name)) continue;
    in.child(type->name);
    out = type;
    ++given;
  }
  return given == 1 ? out : nullptr;
}

void read_section(const agent::ToolType& type, spec::MapReader& in, std::string_view base_directory,
                  agent::ToolSpec& tool) {
  static const agent::McpServers kNoServers;
  tool.type = &type;
  const auto effect = in.choice("effect", {"pure", "idempotent", "at_most_once", "transactional"});
  if (effect) tool.effect = static_cast<agent::Effect>(*effect);
  agent::ToolReader section{in, tool, effect.has_value(), base_directory, kNoServers};
  if (!in.has(type.name) && !type.section_needs.empty()) return in.missing(type.name, type.section_needs);
  type.read(section);
  if (!tool.settings || !type.check) return;
  if (auto bad = type.check(tool)) in.problem(type.name, *bad);
}

void read_tool_call(BlockReader& reader) {
  const agent::ActivityTool* type = agent::find_activity_tool(reader.spec.type->name);
  HF_CHECK(type);
  read_call_of(type->type, reader);
}

void read_workflow_call(BlockReader& reader) {
  const agent::WorkflowTool* type = agent::find_workflow_tool(reader.spec.type->name);
  HF_CHECK(type);
  read_call_of(type->type, reader);
}

void read_call_of(const agent::ToolType& type, BlockReader& reader) {
  spec::MapReader& with = reader.with;
  auto settings = std::make_shared<ToolCallSettings>();
  auto tool = std::make_shared<agent::ToolSpec>();
  settings->arguments = read_arguments(with);
  tool->name = reader.spec.id;
  tool->parameters = parameters_of(Json(settings->arguments));
  tool->timeout = reader.spec.timeout.value_or(type.timeout);
  if (reader.spec.retry) tool->retry = *reader.spec.retry;
  if (reader.spec.completes_outside)
    tool->detached = agent::DetachSpec{protocol::CompletedBy::kToken, reader.spec.deadline};
  read_section(type, with, reader.base_directory, *tool);
  reader.out.settings = std::move(settings);
  reader.out.tool = std::move(tool);
}

Json call_schema(std::span<const agent::ToolType* const> tools) {
  Json out = schema_of_text(R"json({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "effect": {"enum": ["pure", "idempotent", "at_most_once", "transactional"]},
      "arguments": {"type": ["object", "null"], "description": "Values of the tool's arguments, texts with {{ expressions }}."}
    }
  })json");
  Json one_of = Json::array();
  for (const agent::ToolType* tool : tools) {
    const std::string name(tool->name);
    out["properties"][name] = schema_of_text(tool->schema);
    if (!tool->section_needs.empty()) one_of.push_back({{"required", {name}}});
  }
  if (!one_of.empty()) out["oneOf"] = std::move(one_of);
  return out;
}

Json tool_call_schema(std::string_view type) {
  const agent::ActivityTool* tool = agent::find_activity_tool(type);
  HF_CHECK(tool);
  const agent::ToolType* one = &tool->type;
  return call_schema({&one, 1});
}

Json workflow_call_schema(std::string_view type) {
  const agent::WorkflowTool* tool = agent::find_workflow_tool(type);
  HF_CHECK(tool);
  const agent::ToolType* one = &tool->type;
  return call_schema({&one, 1});
}

Json tool_call_json(const BoundBlock& block) {
  const agent::ToolSpec& tool = *block.tool;
  Json out = {{std::string(tool.type->name), tool.type->canonical(tool)},
              {"arguments", Json(settings_of<ToolCallSettings>(block).arguments)}};
  if (tool.type->has_effect) out["effect"] = to_string(tool.effect);
  return out;
}

void write_section(const agent::ToolSpec& tool, Written& call) {
  const auto* written = dynamic_cast<const agent::WrittenSection*>(tool.settings.get());
  if (written != nullptr) written->write(call[std::string(tool.type->name)]);
}

void write_tool_call(const BoundBlock& block, Written& with) {
  write_section(*block.tool, with);
  with["arguments"] = settings_of<ToolCallSettings>(block).arguments;
}

BlockResult run_tool_call(const BoundBlock& block, Values& values) {
  Evaluated arguments = values.filled(settings_of<ToolCallSettings>(block).arguments);
  if (!arguments) return std::unexpected(arguments.error());
  BlockEnding out;
  out.value = *std::move(arguments);
  return out;
}

}  // namespace holdfast::flows
