#pragma once

// Equality and order of JSON values by what they say. nlohmann's own take an unsigned integer for a signed
// one (2^64-1 == -1) and compare integers with fractions as doubles (2^53 + 1 == 9007199254740992.0). Pure
// functions; values nest no deeper than what read_json lets in.

#include <compare>
#include <string>

#include <nlohmann/json.hpp>

namespace holdfast::spec {

// Of two numbers; unordered when one is none.
std::partial_ordering compare_numbers(const nlohmann::json& a, const nlohmann::json& b);

// Whether `value` is a whole multiple of `factor`, both numbers as they are written in decimal: 0.0075 is one
// of 0.0001, though their nearest doubles are not.
bool is_multiple(const nlohmann::json& value, const nlohmann::json& factor);

// A text that two values share when they are the same value.
std::string value_key(const nlohmann::json& value);

// 1 and 1.0 are one value, as in JSON Schema.
bool same_value(const nlohmann::json& a, const nlohmann::json& b);

}  // namespace holdfast::spec
