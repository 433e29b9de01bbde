#include "spec/json_schema.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <compare>
#include <set>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "spec/ecma_regex.h"
#include "spec/exact.h"
#include "spec/format.h"
#include "spec/schema_keywords.h"

namespace holdfast::spec {

using nlohmann::json;

namespace {

using Problem = std::optional<std::string>;

constexpr std::size_t kMaxReasons = 400;  // of the forms that did not fit, in one message

std::string inside(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}
std::string inside(const std::string& path, std::size_t item) {
  return fmt::format("{}[{}]", path, item);
}
std::string subject(const std::string& path) {
  return path.empty() ? "the arguments" : fmt::format("`{}`", path);
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

Problem validate_type(const json& schema, const json& value, const std::string& path) {
  auto type = schema.find("type");
  if (type == schema.end()) return std::nullopt;
  std::string expected;
  for (const json& one : type->is_array() ? *type : json::array({*type})) {
    if (is_type(value, one.get<std::string>())) return std::nullopt;
    expected += (expected.empty() ? "" : " or ") + article(one.get<std::string>());
  }
  return fmt::format("{} must be {}, not {}", subject(path), expected, type_name(value));
}

Problem validate_choice(const json& schema, const json& value, const std::string& path) {
  if (auto allowed = schema.find("enum"); allowed != schema.end()) {
    if (std::none_of(allowed->begin(), allowed->end(),
                     [&value](const json& one) { return same_value(one, value); })) {
      return fmt::format("{} must be one of {}", subject(path), dump_json(*allowed));
    }
  }
  if (auto only = schema.find("const"); only != schema.end() && !same_value(*only, value)) {
    return fmt::format("{} must be {}", subject(path), dump_json(*only));
  }
  return std::nullopt;
}

// Code points, as JSON Schema counts.
std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

struct Bound {
  std::string_view key, words;
  bool (*holds)(std::partial_ordering to_bound);
};
bool is_least(std::partial_ordering o) {
  return o >= 0;
}
bool is_most(std::partial_ordering o) {
  return o <= 0;
}

Problem check_bounds(const json& schema, std::span<const Bound> bounds, const json& measure,
                     const std::string& path) {
  for (const Bound& one : bounds) {
    auto bound = schema.find(one.key);
    if (bound == schema.end() || one.holds(compare_numbers(measure, *bound))) continue;
    return fmt::format("{} must be {} {}", subject(path), one.words, dump_json(*bound));
  }
  return std::nullopt;
}

Problem validate_range(const json& schema, const json& value, const std::string& path) {
  static constexpr std::array<Bound, 4> kNumbers = {{
      {"minimum", "at least", is_least},
      {"maximum", "at most", is_most},
      {"exclusiveMinimum", "greater than", [](std::partial_ordering o) { return o > 0; }},
      {"exclusiveMaximum", "less than", [](std::partial_ordering o) { return o < 0; }},
  }};
  static constexpr std::array<Bound, 2> kLengths = {{
      {"minLength", "of a length of at least", is_least},
      {"maxLength", "of a length of at most", is_most},
  }};
  static constexpr std::array<Bound, 2> kSizes = {{
      {"minItems", "a list with a size of at least", is_least},
      {"maxItems", "a list with a size of at most", is_most},
  }};
  static constexpr std::array<Bound, 2> kMembers = {{
      {"minProperties", "an object whose members number at least", is_least},
      {"maxProperties", "an object whose members number at most", is_most},
  }};
  if (value.is_number()) {
    if (Problem bad = check_bounds(schema, kNumbers, value, path)) return bad;
    auto factor = schema.find("multipleOf");
    if (factor == schema.end() || is_multiple(value, *factor)) return std::nullopt;
    return fmt::format("{} must be a multiple of {}", subject(path), dump_json(*factor));
  }
  if (value.is_string())
    return check_bounds(schema, kLengths, characters(value.get_ref<const std::string&>()), path);
  if (value.is_array()) return check_bounds(schema, kSizes, value.size(), path);
  if (value.is_object()) return check_bounds(schema, kMembers, value.size(), path);
  return std::nullopt;
}

// What of a value some schema has spoken of, for `unevaluatedProperties` and `unevaluatedItems`.
struct Evaluated {
  std::set<std::string> names;
  std::set<std::size_t> items;
  std::size_t first_items = 0;

  void add(const Evaluated& other) {
    names.insert(other.names.begin(), other.names.end());
    items.insert(other.items.begin(), other.items.end());
    first_items = std::max(first_items, other.first_items);
  }
};

// One value against one schema. What is held against the same value tells `seen` what it spoke of.
class Validation {
 public:
  Validation(const json& root, Formats formats)
      : root_(root), formats_(formats), tracks_(speaks_of_the_rest(root)) {}

  Problem at(const json& schema, const json& value, const std::string& path, Evaluated* outer) {
    if (++steps_ > kMaxSchemaSteps || depth_ > kMaxDepth) return too_much(path);
    if (schema.is_boolean()) {
      if (schema.get<bool>()) return std::nullopt;
      return fmt::format("{} is not allowed", subject(path));
    }
    Evaluated own;
    Evaluated* seen = tracks_ ? &own : nullptr;
    ++depth_;
    Problem bad = all_of_schema(schema, value, path, seen);
    --depth_;
    if (!bad && outer && seen) outer->add(own);
    return bad;
  }

 private:
  // Of schemas in each other; a value itself nests less.
  static constexpr int kMaxDepth = 400;

  static bool speaks_of_the_rest(const json& schema) {
    if (!schema.is_object()) return false;
    if (schema.contains("unevaluatedProperties") || schema.contains("unevaluatedItems")) return true;
    bool found = false;
    for_each_schema(schema, [&found](std::string_view, const json& inner, bool) {
      found = found || speaks_of_the_rest(inner);
    });
    return found;
  }

  Problem too_much(const std::string& path) {
    exhausted_ = true;
    return fmt::format("{} too large to be checked",
                       path.empty() ? "the arguments are" : subject(path) + " is");
  }

  Problem all_of_schema(const json& schema, const json& value, const std::string& path, Evaluated* seen) {
    if (Problem bad = validate_type(schema, value, path)) return bad;
    if (Problem bad = validate_choice(schema, value, path)) return bad;
    if (Problem bad = validate_range(schema, value, path)) return bad;
    if (value.is_string()) {
      if (Problem bad = pattern(schema, value, path)) return bad;
      if (Problem bad = format(schema, value, path)) return bad;
    } else if (value.is_object()) {
      if (Problem bad = object(schema, value, path, seen)) return bad;
    } else if (value.is_array()) {
      if (Problem bad = list(schema, value, path, seen)) return bad;
    }
    if (Problem bad = reference(schema, value, path, seen)) return bad;
    if (Problem bad = combined(schema, value, path, seen)) return bad;
    if (Problem bad = conditional(schema, value, path, seen)) return bad;
    if (!seen) return std::nullopt;
    if (value.is_object()) return rest_of_object(schema, value, path, *seen);
    return value.is_array() ? rest_of_list(schema, value, path, *seen) : std::nullopt;
  }

  bool matches(const std::string& pattern, const std::string& text) {
    steps_ += text.size() / 64;
    return matches_pattern(pattern, text);
  }

  Problem pattern(const json& schema, const json& value, const std::string& path) {
    auto pattern = schema.find("pattern");
    if (pattern == schema.end()) return std::nullopt;
    if (matches(pattern->get_ref<const std::string&>(), value.get_ref<const std::string&>()))
      return std::nullopt;
    return fmt::format("{} must match the pattern {}", subject(path), dump_json(*pattern));
  }

  Problem format(const json& schema, const json& value, const std::string& path) {
    if (formats_ == Formats::kAnnotations) return std::nullopt;
    const auto format = schema.find("format");
    if (format == schema.end() || !format->is_string()) return std::nullopt;
    const auto& name = format->get_ref<const std::string&>();
    if (is_of_format(name, value.get_ref<const std::string&>())) return std::nullopt;
    return fmt::format("{} must be a text of the format {}", subject(path), name);
  }

  Problem reference(const json& schema, const json& value, const std::string& path, Evaluated* seen) {
    auto reference = schema.find("$ref");
    if (reference == schema.end()) return std::nullopt;
    const json* target = resolve_reference(root_, reference->get_ref<const std::string&>());
    if (!target) return fmt::format("{} has a schema that leads nowhere", subject(path));
    return at(*target, value, path, seen);
  }

  // ---- objects

  Problem required(const json& schema, const json& value, const std::string& path) {
    if (auto names = schema.find("required"); names != schema.end()) {
      for (const json& name : *names) {
        if (!value.contains(name.get_ref<const std::string&>()))
          return fmt::format("`{}` is missing", inside(path, name.get_ref<const std::string&>()));
      }
    }
    auto dependent = schema.find("dependentRequired");
    if (dependent == schema.end()) return std::nullopt;
    for (const auto& [present, names] : dependent->items()) {
      if (!value.contains(present)) continue;
      for (const json& name : names) {
        if (value.contains(name.get_ref<const std::string&>())) continue;
        return fmt::format("`{}` is missing: it goes with `{}`",
                           inside(path, name.get_ref<const std::string&>()), inside(path, present));
      }
    }
    return std::nullopt;
  }

  Problem object(const json& schema, const json& value, const std::string& path, Evaluated* seen) {
    if (Problem bad = required(schema, value, path)) return bad;
    static const json kNone = json::object();
    const auto section = [&schema](std::string_view key) -> const json& {
      auto found = schema.find(key);
      return found == schema.end() ? kNone : *found;
    };
    const json& properties = section("properties");
    const json& patterns = section("patternProperties");
    auto names = schema.find("propertyNames");
    auto others = schema.find("additionalProperties");
    for (const auto& [key, inner] : value.items()) {
      const std::string here = inside(path, key);
      if (names != schema.end()) {
        if (Problem bad = at(*names, key, here, nullptr)) return fmt::format("the name of {}", *bad);
      }
      bool known = false;
      if (auto property = properties.find(key); property != properties.end()) {
        known = true;
        if (Problem bad = at(*property, inner, here, nullptr)) return bad;
      }
      for (const auto& [pattern, of_pattern] : patterns.items()) {
        if (!matches(pattern, key)) continue;
        known = true;
        if (Problem bad = at(of_pattern, inner, here, nullptr)) return bad;
      }
      if (!known && others != schema.end()) {
        known = true;
        if (others->is_boolean() && !others->get<bool>())
          return fmt::format("`{}` is not an argument of this tool", here);
        if (Problem bad = at(*others, inner, here, nullptr)) return bad;
      }
      if (known && seen) seen->names.insert(key);
    }
    return std::nullopt;
  }

  Problem rest_of_object(const json& schema, const json& value, const std::string& path, Evaluated& seen) {
    auto rest = schema.find("unevaluatedProperties");
    if (rest == schema.end()) return std::nullopt;
    for (const auto& [key, inner] : value.items()) {
      if (seen.names.contains(key)) continue;
      if (rest->is_boolean() && !rest->get<bool>())
        return fmt::format("`{}` is not an argument of this tool", inside(path, key));
      if (Problem bad = at(*rest, inner, inside(path, key), nullptr)) return bad;
      seen.names.insert(key);
    }
    return std::nullopt;
  }

  // ---- lists

  Problem list(const json& schema, const json& value, const std::string& path, Evaluated* seen) {
    std::size_t first = 0;
    if (auto prefix = schema.find("prefixItems"); prefix != schema.end()) {
      for (; first < prefix->size() && first < value.size(); ++first) {
        if (Problem bad = at((*prefix)[first], value[first], inside(path, first), nullptr)) return bad;
      }
    }
    if (auto items = schema.find("items"); items != schema.end()) {
      for (; first < value.size(); ++first) {
        if (Problem bad = at(*items, value[first], inside(path, first), nullptr)) return bad;
      }
    }
    if (seen) seen->first_items = std::max(seen->first_items, first);
    if (Problem bad = contains(schema, value, path, seen)) return bad;
    auto unique = schema.find("uniqueItems");
    if (unique == schema.end() || !unique->get<bool>()) return std::nullopt;
    std::set<std::string> keys;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const auto [key, is_new] = keys.insert(value_key(value[i]));
      steps_ += 1 + key->size() / 64;
      if (!is_new)
        return fmt::format("{} must not hold the same twice: `{}`", subject(path), inside(path, i));
    }
    return std::nullopt;
  }

  Problem contains(const json& schema, const json& value, const std::string& path, Evaluated* seen) {
    auto wanted = schema.find("contains");
    if (wanted == schema.end()) return std::nullopt;
    std::size_t count = 0;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (at(*wanted, value[i], inside(path, i), nullptr)) continue;
      ++count;
      if (seen) seen->items.insert(i);
    }
    if (exhausted_) return too_much(path);
    const json number = count;
    auto least = schema.find("minContains");
    auto most = schema.find("maxContains");
    if (least == schema.end() ? count == 0 : compare_numbers(number, *least) < 0) {
      return fmt::format("{} must hold at least {} of the kind {}", subject(path),
                         least == schema.end() ? "one" : dump_json(*least), dump_json(*wanted));
    }
    if (most != schema.end() && compare_numbers(number, *most) > 0) {
      return fmt::format("{} must hold at most {} of the kind {}", subject(path), dump_json(*most),
                         dump_json(*wanted));
    }
    return std::nullopt;
  }

  Problem rest_of_list(const json& schema, const json& value, const std::string& path, Evaluated& seen) {
    auto rest = schema.find("unevaluatedItems");
    if (rest == schema.end()) return std::nullopt;
    for (std::size_t i = seen.first_items; i < value.size(); ++i) {
      if (seen.items.contains(i)) continue;
      if (Problem bad = at(*rest, value[i], inside(path, i), nullptr)) return bad;
    }
    seen.first_items = value.size();
    return std::nullopt;
  }

  // ---- the same value against several

  Problem combined(const json& schema, const json& value, const std::string& path, Evaluated* seen) {
    if (auto all = schema.find("allOf"); all != schema.end()) {
      for (const json& one : *all) {
        if (Problem bad = at(one, value, path, seen)) return bad;
      }
    }
    if (auto any = schema.find("anyOf"); any != schema.end()) {
      if (Problem bad = some_of(*any, value, path, seen, false)) return bad;
    }
    if (auto one = schema.find("oneOf"); one != schema.end()) {
      if (Problem bad = some_of(*one, value, path, seen, true)) return bad;
    }
    if (auto none = schema.find("not"); none != schema.end()) {
      if (!at(*none, value, path, nullptr))
        return fmt::format("{} must not be of the kind {}", subject(path), dump_json(*none));
      if (exhausted_) return too_much(path);
    }
    return std::nullopt;
  }

  Problem some_of(const json& schemas, const json& value, const std::string& path, Evaluated* seen,
                  bool exactly_one) {
    std::size_t fitting = 0;
    std::string reasons;
    for (const json& one : schemas) {
      Problem bad = at(one, value, path, seen);
      if (exhausted_) return too_much(path);
      if (!bad) {
        ++fitting;
        if (!exactly_one && !seen) return std::nullopt;
      } else if (reasons.size() < kMaxReasons) {
        reasons += (reasons.empty() ? "" : "; or ") + *bad;
      }
    }
    if (fitting == 1 || (fitting > 1 && !exactly_one)) return std::nullopt;
    if (fitting > 1) {
      return fmt::format("{} fits {} of the forms of which it must fit exactly one", subject(path), fitting);
    }
    return fmt::format("{} fits none of its forms: {}", subject(path), cut_text(reasons, kMaxReasons));
  }

  Problem conditional(const json& schema, const json& value, const std::string& path, Evaluated* seen) {
    if (auto condition = schema.find("if"); condition != schema.end()) {
      const bool holds = !at(*condition, value, path, seen);
      if (exhausted_) return too_much(path);
      auto branch = schema.find(holds ? "then" : "else");
      if (branch != schema.end()) {
        if (Problem bad = at(*branch, value, path, seen)) return bad;
      }
    }
    auto dependent = schema.find("dependentSchemas");
    if (dependent == schema.end() || !value.is_object()) return std::nullopt;
    for (const auto& [present, one] : dependent->items()) {
      if (!value.contains(present)) continue;
      if (Problem bad = at(one, value, path, seen)) return bad;
    }
    return std::nullopt;
  }

  const json& root_;
  const Formats formats_;
  const bool tracks_;  // somewhere something is said of what nothing else spoke of
  std::size_t steps_ = 0;
  int depth_ = 0;
  bool exhausted_ = false;  // then nothing counts as valid any more
};

}  // namespace

std::optional<std::string> validate(const json& schema, const json& value, Formats formats) {
  return Validation(schema, formats).at(schema, value, "", nullptr);
}

}  // namespace holdfast::spec
