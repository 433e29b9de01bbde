#pragma once

// Equality and order of JSON values by what they say. nlohmann's own take an unsigned integer for a signed
// one (2^64-1 == -1) and compare integers with fractions as doubles (2^53 + 1 == 9007199254740992.0). Pure
// functions; values nest no deeper than what read_json lets in.

#include <compare>

#include <nlohmann/json.hpp>

namespace holdfast::spec {

// Of two numbers; unordered when one is none.
std::partial_ordering compare_numbers(const nlohmann::json& a, const nlohmann::json& b);

// 1 and 1.0 are one value, as in JSON Schema.
bool same_value(const nlohmann::json& a, const nlohmann::json& b);

}  // namespace holdfast::spec
