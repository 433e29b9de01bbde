#include "model/request.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::model {

Result<nlohmann::ordered_json> schema_of(const ToolDefinition& tool) {
  using Json = nlohmann::ordered_json;
  if (tool.parameters.empty()) return Json{{"type", "object"}, {"properties", Json::object()}};
  Json schema = parse_json<Json>(tool.parameters);
  if (!schema.is_object())
    return fail(Code::kInvalidArgument, "tool " + tool.name + ": its parameters are no JSON Schema object");
  return schema;
}

Result<nlohmann::ordered_json> output_schema_of(const Request& request) {
  auto schema = parse_json<nlohmann::ordered_json>(request.output_schema);
  if (!schema.is_object()) return fail(Code::kInvalidArgument, "the output schema is no JSON Schema object");
  return schema;
}

bool is_strict(const nlohmann::ordered_json& schema) {
  if (!schema.is_object()) return false;
  constexpr std::array<std::string_view, 9> kUnknown = {"oneOf",
                                                        "allOf",
                                                        "not",
                                                        "if",
                                                        "then",
                                                        "else",
                                                        "patternProperties",
                                                        "dependentSchemas",
                                                        "dependentRequired"};
  for (const std::string_view word : kUnknown) {
    if (schema.contains(word)) return false;
  }
  const auto all = [](const nlohmann::ordered_json& schemas) {
    return std::all_of(schemas.begin(), schemas.end(), [](const auto& one) { return is_strict(one); });
  };
  const auto properties = schema.find("properties");
  const bool object =
      properties != schema.end() || schema.value("type", nlohmann::ordered_json()) == "object";
  if (object) {
    if (!schema.contains("additionalProperties") || schema["additionalProperties"] != false) return false;
    if (properties == schema.end() || !properties->is_object()) return false;
    const auto required = schema.value("required", nlohmann::ordered_json::array());
    for (const auto& [name, property] : properties->items()) {
      if (std::find(required.begin(), required.end(), name) == required.end()) return false;
    }
    if (!all(*properties)) return false;
  }
  for (const char* list : {"anyOf", "$defs", "definitions"}) {
    if (schema.contains(list) && !all(schema[list])) return false;
  }
  return !schema.contains("items") || is_strict(schema["items"]);
}

}  // namespace holdfast::model
