#include "spec/json_schema.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <compare>
#include <string_view>

#include <fmt/format.h>

#include "base/json.h"
#include "spec/exact.h"

namespace holdfast::spec {

using nlohmann::json;

namespace {

constexpr int kMaxDepth = 32;

constexpr std::array<std::string_view, 7> kTypes = {"object",  "array",   "string", "number",
                                                    "integer", "boolean", "null"};
constexpr std::array<std::string_view, 15> kEnforced = {
    "type",    "properties", "required",         "additionalProperties", "items",     "enum",      "const",
    "minimum", "maximum",    "exclusiveMinimum", "exclusiveMaximum",     "minLength", "maxLength", "minItems",
    "maxItems"};
constexpr std::array<std::string_view, 8> kAnnotations = {"title",    "description", "default", "examples",
                                                          "$comment", "$schema",     "format",  "deprecated"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string inside(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::optional<std::string> problem(const std::string& path, std::string_view what) {
  return path.empty() ? std::string(what) : fmt::format("{}: {}", path, what);
}

std::optional<std::string> check_type(const json& type, const std::string& path) {
  auto known = [](const json& name) { return name.is_string() && contains(kTypes, name.get<std::string>()); };
  if (known(type)) return std::nullopt;
  if (type.is_array() && !type.empty() && std::all_of(type.begin(), type.end(), known)) return std::nullopt;
  return problem(inside(path, "type"),
                 "must be object, array, string, number, integer, boolean, null or a list of these");
}

std::optional<std::string> check_at(const json& schema, const std::string& path, int depth) {
  if (depth > kMaxDepth) return problem(path, "nested too deeply");
  if (schema.is_boolean()) return std::nullopt;
  if (!schema.is_object()) return problem(path, "a schema must be a mapping");
  for (const auto& [key, value] : schema.items()) {
    if (contains(kAnnotations, key)) continue;
    if (!contains(kEnforced, key)) {
      return problem(path, fmt::format("unsupported keyword `{}`: it would not be enforced; remove it", key));
    }
    if (key == "type") {
      if (auto bad = check_type(value, path)) return bad;
    } else if (key == "properties") {
      if (!value.is_object()) return problem(inside(path, key), "must be a mapping of names to schemas");
      for (const auto& [name, inner] : value.items()) {
        if (auto bad = check_at(inner, inside(inside(path, key), name), depth + 1)) return bad;
      }
    } else if (key == "items" || key == "additionalProperties") {
      if (auto bad = check_at(value, inside(path, key), depth + 1)) return bad;
    } else if (key == "required") {
      auto is_text = [](const json& name) { return name.is_string(); };
      if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_text)) {
        return problem(inside(path, key), "must be a list of names");
      }
    } else if (key == "enum") {
      if (!value.is_array() || value.empty()) return problem(inside(path, key), "must be a list of values");
    } else if (key != "const" && !value.is_number()) {
      return problem(inside(path, key), "must be a number");
    }
  }
  return std::nullopt;
}

std::string_view type_name(const json& value) {
  switch (value.type()) {
    case json::value_t::object: return "an object";
    case json::value_t::array: return "a list";
    case json::value_t::string: return "a string";
    case json::value_t::boolean: return "a boolean";
    case json::value_t::null: return "null";
    default: return value.is_number_float() ? "a number" : "an integer";
  }
}

bool is_type(const json& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (value.is_number_float()) {
    // Beyond, the double may be the neighbour of what was written.
    constexpr double kExactUpTo = 9007199254740992.0;
    const double number = value.get<double>();
    return std::floor(number) == number && std::abs(number) <= kExactUpTo;
  }
  return value.is_number_integer();
}

std::string article(std::string_view type) {
  bool vowel = type.starts_with('o') || type.starts_with('a') || type.starts_with('i');
  return type == "null" ? "null" : fmt::format("{} {}", vowel ? "an" : "a", type);
}

std::string subject(const std::string& path) {
  return path.empty() ? "the arguments" : fmt::format("`{}`", path);
}

std::optional<std::string> validate_at(const json& schema, const json& value, const std::string& path);

std::optional<std::string> validate_type(const json& schema, const json& value, const std::string& path) {
  auto type = schema.find("type");
  if (type == schema.end()) return std::nullopt;
  std::string expected;
  for (const json& one : type->is_array() ? *type : json::array({*type})) {
    if (is_type(value, one.get<std::string>())) return std::nullopt;
    expected += (expected.empty() ? "" : " or ") + article(one.get<std::string>());
  }
  return fmt::format("{} must be {}, not {}", subject(path), expected, type_name(value));
}

// Code points, as JSON Schema counts.
std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::optional<std::string> validate_range(const json& schema, const json& value, const std::string& path) {
  struct Bound {
    std::string_view key, words;
    bool (*holds)(std::partial_ordering to_bound);
  };
  static constexpr std::array<Bound, 4> kNumbers = {{
      {"minimum", "at least", [](std::partial_ordering o) { return o >= 0; }},
      {"maximum", "at most", [](std::partial_ordering o) { return o <= 0; }},
      {"exclusiveMinimum", "greater than", [](std::partial_ordering o) { return o > 0; }},
      {"exclusiveMaximum", "less than", [](std::partial_ordering o) { return o < 0; }},
  }};
  auto check = [&](std::string_view key, std::string_view words, const json& measure,
                   bool (*holds)(std::partial_ordering)) -> std::optional<std::string> {
    auto bound = schema.find(key);
    if (bound == schema.end() || holds(compare_numbers(measure, *bound))) return std::nullopt;
    return fmt::format("{} must be {} {}", subject(path), words, dump_json(*bound));
  };
  if (value.is_number()) {
    for (const Bound& bound : kNumbers) {
      if (auto bad = check(bound.key, bound.words, value, bound.holds)) return bad;
    }
  }
  if (value.is_string()) {
    const json length = characters(value.get_ref<const std::string&>());
    if (auto bad = check("minLength", "of a length of at least", length, kNumbers[0].holds)) return bad;
    if (auto bad = check("maxLength", "of a length of at most", length, kNumbers[1].holds)) return bad;
  }
  if (value.is_array()) {
    const json size = value.size();
    if (auto bad = check("minItems", "a list with a size of at least", size, kNumbers[0].holds)) return bad;
    if (auto bad = check("maxItems", "a list with a size of at most", size, kNumbers[1].holds)) return bad;
  }
  return std::nullopt;
}

std::optional<std::string> validate_object(const json& schema, const json& value, const std::string& path) {
  if (auto required = schema.find("required"); required != schema.end()) {
    for (const json& name : *required) {
      if (!value.contains(name.get<std::string>())) {
        return fmt::format("`{}` is missing", inside(path, name.get<std::string>()));
      }
    }
  }
  static const json kNone = json::object();
  auto found = schema.find("properties");
  const json& properties = found == schema.end() ? kNone : *found;
  auto others = schema.find("additionalProperties");
  for (const auto& [key, inner] : value.items()) {
    auto property = properties.find(key);
    if (property != properties.end()) {
      if (auto bad = validate_at(*property, inner, inside(path, key))) return bad;
    } else if (others != schema.end()) {
      if (others->is_boolean() && !others->get<bool>()) {
        return fmt::format("`{}` is not an argument of this tool", inside(path, key));
      }
      if (auto bad = validate_at(*others, inner, inside(path, key))) return bad;
    }
  }
  return std::nullopt;
}

std::optional<std::string> validate_at(const json& schema, const json& value, const std::string& path) {
  if (schema.is_boolean()) {
    if (schema.get<bool>()) return std::nullopt;
    return fmt::format("{} is not allowed", subject(path));
  }
  if (auto bad = validate_type(schema, value, path)) return bad;
  if (auto allowed = schema.find("enum"); allowed != schema.end()) {
    if (std::none_of(allowed->begin(), allowed->end(),
                     [&value](const json& one) { return same_value(one, value); })) {
      return fmt::format("{} must be one of {}", subject(path), dump_json(*allowed));
    }
  }
  if (auto only = schema.find("const"); only != schema.end() && !same_value(*only, value)) {
    return fmt::format("{} must be {}", subject(path), dump_json(*only));
  }
  if (auto bad = validate_range(schema, value, path)) return bad;
  if (value.is_object()) return validate_object(schema, value, path);
  if (auto items = schema.find("items"); items != schema.end() && value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (auto bad = validate_at(*items, value[i], fmt::format("{}[{}]", path, i))) return bad;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> check_schema(const json& schema) {
  return check_at(schema, "", 0);
}

std::optional<std::string> validate(const json& schema, const json& value) {
  return validate_at(schema, value, "");
}

}  // namespace holdfast::spec
