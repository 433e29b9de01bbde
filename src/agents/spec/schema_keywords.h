#pragma once

// The words of JSON Schema 2020-12 that a schema of ours may use, where schemas stand in a schema, and what a
// `$ref` leads to: a place in the same document, by pointer or by anchor. Pure functions.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace holdfast::spec {

// What stands behind a word.
enum class KeywordForm : std::uint8_t {
  kUnknown,
  kAnnotation,  // says nothing about what is valid
  kSchema,
  kSchemas,         // a list of them
  kNamedSchemas,    // a mapping of names to them
  kPatternSchemas,  // a mapping of patterns to them
  kAnyNumber,
  kCount,
  kFactor,  // a number above zero
  kNames,
  kNameLists,  // a mapping of names to lists of names
  kType,
  kEnum,
  kValue,
  kPattern,
  kBoolean,
  kReference,
  kAnchor,
  kIdentifier,
};
struct Keyword {
  std::string_view name;
  KeywordForm form = KeywordForm::kUnknown;
  // A schema there is held against the same value, not against a part of it.
  bool in_place = false;
};
Keyword find_keyword(std::string_view name);

// Calls `each(path from the schema to the one in it, that one, whether it is held against the same value)`.
using EachSchema = std::function<void(std::string_view path, const nlohmann::json& inner, bool in_place)>;
void for_each_schema(const nlohmann::json& schema, const EachSchema& each);

// Null: it leads nowhere in this document.
const nlohmann::json* resolve_reference(const nlohmann::json& root, std::string_view reference);

}  // namespace holdfast::spec
