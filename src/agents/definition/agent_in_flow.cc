#include "definition/agent_in_flow.h"

#include <fmt/format.h>

#include "base/json.h"

namespace holdfast::agent {

namespace {

constexpr const char* kSystem = "Do what the message asks for. Answer with the result alone.";

}  // namespace

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
  for (const Json& one : flow.value(Json::json_pointer("/spec/blocks"), Json::array())) {
    if (one.value("id", "") != block.block || !one.contains("with")) continue;
    auto read = parse_definition(catalog, dump_json(definition_of_block(one["with"])), block.flow);
    if (read) read->name = protocol::agent_of_block(block.flow, block.block);
    return read;
  }
  return fail(Code::kNotFound,
              fmt::format("{} has no block `{}` that calls a model", block.flow, block.block));
}

}  // namespace holdfast::agent
