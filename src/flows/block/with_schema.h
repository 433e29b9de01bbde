#pragma once

// The JSON Schema of what a type of block asks for in `with`, for `holdfast flow schema`. Pure.

#include <string_view>

#include <nlohmann/json.hpp>

#include "base/check.h"

namespace holdfast::flows {

// A constant of ours, as JSON; a test composes the schemas of all types.
inline nlohmann::json schema_of_text(std::string_view text) {
  nlohmann::json out = nlohmann::json::parse(text, nullptr, false);
  HF_CHECK(!out.is_discarded());
  return out;
}

// Of a type that asks for nothing.
inline nlohmann::json nothing_schema(std::string_view) {
  return schema_of_text(R"json({"type": ["object", "null"], "additionalProperties": false})json");
}

}  // namespace holdfast::flows
