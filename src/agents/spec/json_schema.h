#pragma once

// Validation of tool arguments: the part of JSON Schema that tool parameters use. check_schema refuses a
// keyword that would not be enforced, so that an author never relies on a check that does not happen. Pure
// functions.

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace holdfast::spec {

// What is wrong with the schema itself: "properties.amount: unsupported keyword `pattern`, ..."; none when it
// is fine.
std::optional<std::string> check_schema(const nlohmann::json& schema);

// What is wrong with the value, in words a model can act on: "`amount` must be a number, not a string".
std::optional<std::string> validate(const nlohmann::json& schema, const nlohmann::json& value);

}  // namespace holdfast::spec
