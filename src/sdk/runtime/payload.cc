#include "holdfast/payload.h"

#include <string>

#include "base/json.h"

namespace holdfast {
namespace {

constexpr const char* kEncoding = "encoding";

}  // namespace

std::string Payload::encoding() const {
  const auto found = metadata.find(kEncoding);
  return found == metadata.end() ? std::string() : found->second;
}

HOLDFAST_PUBLIC Payload null_payload() {
  return Payload({{kEncoding, "binary/null"}}, {});
}

HOLDFAST_PUBLIC bool is_null(const Payload& payload) {
  return payload.encoding() == "binary/null";
}

HOLDFAST_PUBLIC Payload bytes_to_payload(std::string data) {
  return Payload({{kEncoding, "binary/plain"}}, std::move(data));
}

HOLDFAST_PUBLIC Payload json_to_payload(const nlohmann::json& value) {
  if (value.is_null()) return null_payload();
  try {
    return Payload({{kEncoding, "json/plain"}}, value.dump());
  } catch (const nlohmann::json::exception& error) {
    throw PayloadError(std::string("a value cannot be written as JSON (use Bytes for what is not text): ") +
                       error.what());
  }
}

HOLDFAST_PUBLIC nlohmann::json payload_to_json(const Payload& payload) {
  const std::string encoding = payload.encoding();
  if (encoding == "binary/null") return nullptr;
  if (encoding == "json/plain" || encoding == "json/protobuf") {
    if (nests_deeper(payload.data, kMaxJsonDepth)) {
      throw PayloadError("the payload nests deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    }
    auto json = read_json(payload.data);
    if (!json) throw PayloadError("the payload is not valid JSON: " + json.error().message());
    return *std::move(json);
  }
  if (encoding == "binary/plain") return payload.data;
  throw PayloadError(
      "a payload has the encoding \"" + encoding +
      "\", which nothing here reads; json/plain, json/protobuf, binary/plain and binary/null are read");
}

HOLDFAST_PUBLIC void throw_missing_argument(std::size_t index, std::size_t expected, std::size_t given) {
  throw PayloadError("argument " + std::to_string(index + 1) + " of " + std::to_string(expected) +
                     " is missing: the caller gave " + std::to_string(given));
}

}  // namespace holdfast
