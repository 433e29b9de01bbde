#pragma once

// What a model is asked, in the neutral form that every provider's is made from. Values.

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/status.h"
#include "model/message.h"
#include "net/http_client.h"
#include "net/large_turns.h"

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
  std::string output_schema;  // JSON Schema of what the answer's text is JSON of; empty: any text
  bool cache_marks = false;   // says up to where a prompt is worth keeping, to those who want to be told
  // Of this call, when it or its answer is large. None: it need not wait for one.
  std::shared_ptr<net::LargeTurn> turn;
  net::Headers headers;  // besides those of the endpoint; they are no part of what is asked
};

// What is said of the answer's form: its schema. INVALID_ARGUMENT: it is none.
Result<nlohmann::ordered_json> output_schema_of(const Request& request);
// Whether the strict forms of OpenAI take it: every object closed, all its members required, and none of the
// words that they do not know. It is held to loosely otherwise.
bool is_strict(const nlohmann::ordered_json& schema);

// The schema of a tool's arguments, as providers want it: always one of an object. INVALID_ARGUMENT: it is
// none.
Result<nlohmann::ordered_json> schema_of(const ToolDefinition& tool);

}  // namespace holdfast::model
