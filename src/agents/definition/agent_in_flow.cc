#include "definition/agent_in_flow.h"

#include <fmt/format.h>

#include "base/json.h"
#include "definition/written_arguments.h"

namespace holdfast::agent {

namespace {

constexpr const char* kSystem = "Do what the message asks for. Answer with the result alone.";

using Ordered = nlohmann::ordered_json;  // what is sent is sent in the order of the file

// A call of a block, as a tool: its arguments are those that it gives. `call`: `with` or `compensate`.
Ordered tool_of(const Catalog& catalog, const std::string& name, const Ordered& call) {
  Ordered out = {{"name", name}};
  for (const ToolType* type : catalog.tools) {
    const std::string section(type->name);
    if (!call.contains(section)) continue;
    out["type"] = section;
    out[section] = call[section];
  }
  for (const char* key : {"effect", "timeout", "retry"}) {
    if (call.contains(key)) out[key] = call[key];
  }
  out["parameters"] = Ordered(parameters_like(call.value("arguments", Ordered::object())));
  return out;
}

// Of the flow, or of a body in it: ids are unique in the file.
const Json* model_block(const Json& blocks, std::string_view id) {
  for (const Json& one : blocks) {
    if (one.value("id", "") == id && one.contains("with")) return &one;
    const auto body = one.find("blocks");
    if (body == one.end()) continue;
    if (const Json* found = model_block(*body, id)) return found;
  }
  return nullptr;
}

// Of the flow, and of bodies in it.
void add_calls(const Catalog& catalog, const Ordered& blocks, Ordered& tools) {
  for (const Ordered& block : blocks) {
    if (const auto body = block.find("blocks"); body != block.end()) add_calls(catalog, *body, tools);
    if (!block.contains("compensate")) continue;
    const auto id = block.value("id", std::string());
    const Ordered& undo = block["compensate"];
    Ordered tool = tool_of(catalog, id, block.value("with", Ordered::object()));
    tool["compensate"]["tool"] = undo_tool(id);
    tool["compensate"]["arguments"] = undo.value("arguments", Ordered::object());
    tools.push_back(std::move(tool));
    tools.push_back(tool_of(catalog, undo_tool(id), undo));
  }
}

}  // namespace

std::string undo_tool(std::string_view block) {
  return std::string(block) + "-undo";
}

Result<AgentDefinition> calls_of_flow(const Catalog& catalog, std::string_view text,
                                      const std::string& flow_agent) {
  const auto flow = parse_json<Ordered>(text);
  if (!flow.is_object()) return fail(Code::kDataLoss, "the stored flow cannot be read");
  Ordered tools = Ordered::array();
  add_calls(catalog, flow.value(Ordered::json_pointer("/spec/blocks"), Ordered::array()), tools);
  Ordered definition = {{"apiVersion", "holdfast.dev/v1"},
                        {"kind", "Agent"},
                        {"metadata", {{"name", "flow"}}},
                        {"spec",
                         {{"model", {{"provider", catalog.providers.front()}, {"name", "none"}}},
                          {"prompt", "No model is asked."}}}};
  definition["spec"]["tools"] = std::move(tools);
  auto read = parse_definition(catalog, dump_json(definition), flow_agent);
  if (read) read->name = flow_agent;
  return read;
}

Json definition_of_block(const Json& with) {
  Json spec = {{"mode", "single"}, {"prompt", with.value("system", kSystem)}};
  for (const char* key : {"model", "output_schema", "budgets"}) {
    if (with.contains(key)) spec[key] = with[key];
  }
  return {{"apiVersion", "holdfast.dev/v1"},
          {"kind", "Agent"},
          {"metadata", {{"name", "block"}}},
          {"spec", std::move(spec)}};
}

Result<AgentDefinition> agent_in_flow(const Catalog& catalog, std::string_view text,
                                      const protocol::BlockAgent& block) {
  const Json flow = parse_json(text);
  if (!flow.is_object()) return fail(Code::kDataLoss, "the stored flow cannot be read");
  const Json blocks = flow.value(Json::json_pointer("/spec/blocks"), Json::array());
  if (const Json* one = model_block(blocks, block.block)) {
    auto read = parse_definition(catalog, dump_json(definition_of_block((*one)["with"])), block.flow);
    if (read) read->name = protocol::agent_of_block(block.flow, block.block);
    return read;
  }
  return fail(Code::kNotFound,
              fmt::format("{} has no block `{}` that calls a model", block.flow, block.block));
}

}  // namespace holdfast::agent
