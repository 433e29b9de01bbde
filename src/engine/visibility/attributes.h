#pragma once

// Search attributes: their types, those that every namespace has, and whether a payload holds a value of a
// type. Which names a namespace has beside these is its registry's business (engine/search_attributes.h).
// Pure functions.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/messages.h"

namespace holdfast::visibility {

// In the order of Temporal's IndexedValueType, which counts from 1. Stored by number (docs/formats).
enum class AttributeType : std::uint8_t { kText, kKeyword, kInt, kDouble, kBool, kDatetime, kKeywordList };

std::string_view type_name(AttributeType type);  // "Keyword"
std::optional<AttributeType> attribute_type(std::string_view name);
enums::IndexedValueType indexed_value_type(AttributeType type);
// Nothing: unspecified, or one that this version does not know.
std::optional<AttributeType> attribute_type(enums::IndexedValueType type);

// What the server itself says of a run, WorkflowId for example: nobody can set these.
std::optional<AttributeType> system_attribute(std::string_view name);
// What Temporal's SDKs and features set, in every namespace.
std::optional<AttributeType> predefined_attribute(std::string_view name);
const std::map<std::string_view, AttributeType>& system_attributes();
const std::map<std::string_view, AttributeType>& predefined_attributes();
// No namespace can have its own of this name.
bool is_reserved(std::string_view name);

// Nothing: the payload holds a value of the type, or none (null, or an empty list). Else what it holds, as
// Temporal's messages show it. A list of one is its element where the type is no list.
std::optional<std::string> not_a(AttributeType type, const pb::common::v1::Payload& payload);

// Nanoseconds since the epoch of an RFC 3339 time, or of a date.
std::optional<std::int64_t> parse_time(std::string_view text);

}  // namespace holdfast::visibility
