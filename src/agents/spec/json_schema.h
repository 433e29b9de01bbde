#pragma once

// JSON Schema 2020-12 of what comes from models and tools: arguments, answers, events. All of its words that
// say what is valid, within one document: `$ref` leads to places of the same one, by pointer or anchor;
// `format` is an annotation, as that draft has it, unless it is asked for (spec/format.h). Not there:
// `$dynamicRef`, `$vocabulary`, `$id` below the root, other documents. check_schema refuses what would not be
// enforced, so that an author never relies on a check that does not happen. Pure functions.
//
// Bounds: patterns are matched by RE2; a schema that leads back to itself without going into the value is
// refused; a value that takes more than kMaxSchemaSteps to check is invalid, whatever it is.

#include <cstddef>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace holdfast::spec {

inline constexpr int kMaxSchemaDepth = 32;
inline constexpr std::size_t kMaxSchemaSteps = 1'000'000;

// What is wrong with the schema itself: "properties.amount: unsupported keyword `$dynamicRef`, ..."; none
// when it is fine.
std::optional<std::string> check_schema(const nlohmann::json& schema);

enum class Formats : bool { kAnnotations, kChecked };

// What is wrong with the value, in words a model can act on: "`amount` must be a number, not a string".
std::optional<std::string> validate(const nlohmann::json& schema, const nlohmann::json& value,
                                    Formats formats = Formats::kAnnotations);

}  // namespace holdfast::spec
