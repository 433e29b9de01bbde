#include "model/request.h"

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

}  // namespace holdfast::model
