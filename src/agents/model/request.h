#pragma once

// What a model is asked, in the neutral form that every provider's is made from. Values.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/status.h"
#include "model/message.h"

namespace holdfast::model {

struct ToolDefinition {
  ToolDefinition() = default;
  std::string name;
  std::string description;
  std::string parameters;  // JSON Schema of an object; empty: no parameters
};

struct Request {
  Request() = default;
  std::string model;
  std::vector<Message> messages;
  std::vector<ToolDefinition> tools;
  std::optional<std::int64_t> max_tokens;
  std::optional<double> temperature;
  std::vector<std::string> stop;
};

// The schema of a tool's arguments, as providers want it: always one of an object. INVALID_ARGUMENT: it is
// none.
Result<nlohmann::ordered_json> schema_of(const ToolDefinition& tool);

}  // namespace holdfast::model
