// Whether a payload holds a value of a type: part of visibility/attributes.h.

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/json.h"
#include "base/text.h"
#include "visibility/attributes.h"

namespace holdfast::visibility {
namespace {

using Json = nlohmann::json;
using Payload = pb::common::v1::Payload;

// No value of a search attribute nests: a list of texts at most.
constexpr int kMaxDepth = 8;
// A value in a message; who wrote it knows it.
constexpr std::size_t kMaxShownBytes = 200;

// As Go prints a double: the shortest text that reads back, with an exponent from a million on. Numbers of
// JSON are doubles there.
std::string shown_number(double number) {
  std::array<char, 40> buffer{};
  const double magnitude = std::fabs(number);
  const bool exponent = number != 0 && (magnitude < 1e-4 || magnitude >= 1e6);
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                 exponent ? std::chars_format::scientific : std::chars_format::fixed);
  return {buffer.data(), end.ptr};
}

std::string shown(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>();
  if (value.is_null()) return "<nil>";
  if (value.is_number()) return shown_number(value.get<double>());
  if (value.is_array() || value.is_object()) {
    std::string text = value.is_array() ? "[" : "map[";
    const std::size_t begin = text.size();
    for (const auto& item : value.items()) {
      if (text.size() > kMaxShownBytes) break;
      if (text.size() > begin) text += ' ';
      if (value.is_object()) text += item.key() + ":";
      text += shown(item.value());
    }
    return text + "]";
  }
  return dump_json(value);
}

std::string shown_bytes(const std::string& bytes) {
  std::string text = "[";
  for (const char byte : bytes) {
    if (text.size() > kMaxShownBytes) break;
    if (text.size() > 1) text += ' ';
    text += std::to_string(static_cast<unsigned char>(byte));
  }
  return text + "]";
}

std::string shown_unread(const Payload& payload) {
  return "value from <" + payload.ShortDebugString() + ">";
}

std::string cut(std::string text) {
  if (text.size() <= kMaxShownBytes) return to_utf8(text);
  return to_utf8(std::string(cut_text(text, kMaxShownBytes)) + "...");
}

bool is_time(const std::string& text) {
  return text.size() > 10 && parse_time(text).has_value();
}

// A number that was written as a whole one, and fits.
bool is_integer(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= INT64_MAX;
  return value.is_number_integer();
}

bool is_a(AttributeType type, const Json& value) {
  if (value.is_null()) return true;
  switch (type) {
    case AttributeType::kText:
    case AttributeType::kKeyword: return value.is_string();
    case AttributeType::kInt: return is_integer(value);
    case AttributeType::kDouble: return value.is_number() && std::isfinite(value.get<double>());
    case AttributeType::kBool: return value.is_boolean();
    case AttributeType::kDatetime: return value.is_string() && is_time(value.get_ref<const std::string&>());
    case AttributeType::kKeywordList:
      for (const Json& element : value) {
        if (!element.is_string() && !element.is_null()) return false;
      }
      return value.is_array();
  }
  return false;
}

}  // namespace

std::optional<std::string> not_a(AttributeType type, const Payload& payload) {
  const auto encoding = payload.metadata().find("encoding");
  if (encoding == payload.metadata().end()) return cut(shown_unread(payload));
  if (encoding->second == "binary/null") return std::nullopt;
  if (encoding->second == "binary/plain") return cut(shown_bytes(payload.data()));
  if (encoding->second != "json/plain") return cut(shown_unread(payload));
  const Json value = parse_json(payload.data(), kMaxDepth);
  if (value.is_discarded()) return cut(shown_unread(payload));
  if (is_a(type, value)) return std::nullopt;
  const bool list = value.is_array() && type != AttributeType::kKeywordList;
  if (list && (value.empty() || (value.size() == 1 && is_a(type, value.front())))) return std::nullopt;
  return cut(shown(value));
}

}  // namespace holdfast::visibility
