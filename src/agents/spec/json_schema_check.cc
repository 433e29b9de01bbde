// Whether a schema is one, and one that is enforced as it says.

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "spec/ecma_regex.h"
#include "spec/json_schema.h"
#include "spec/schema_keywords.h"

namespace holdfast::spec {

using nlohmann::json;

namespace {

using Problem = std::optional<std::string>;

constexpr std::array<std::string_view, 7> kTypes = {"object",  "array",   "string", "number",
                                                    "integer", "boolean", "null"};

std::string inside(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

Problem problem(const std::string& path, std::string_view what) {
  return path.empty() ? std::string(what) : fmt::format("{}: {}", path, what);
}

bool is_text(const json& value) {
  return value.is_string();
}
bool are_names(const json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), is_text);
}

Problem check_type(const json& type, const std::string& path) {
  auto known = [](const json& name) {
    return name.is_string() &&
           std::find(kTypes.begin(), kTypes.end(), name.get_ref<const std::string&>()) != kTypes.end();
  };
  if (known(type)) return std::nullopt;
  if (type.is_array() && !type.empty() && std::all_of(type.begin(), type.end(), known)) return std::nullopt;
  return problem(path, "must be object, array, string, number, integer, boolean, null or a list of these");
}

Problem check_named_patterns(const json& value, const std::string& path) {
  for (const auto& [pattern, unused] : value.items()) {
    if (Status status = check_pattern(pattern); !status.ok())
      return problem(path, fmt::format("`{}` is no pattern: {}", pattern, status.message()));
  }
  return std::nullopt;
}

// Of what stands behind a word, all but the schemas in it.
Problem check_value(KeywordForm form, const json& value, const std::string& path) {
  const auto must = [&](bool holds, std::string_view what) {
    return holds ? Problem() : problem(path, what);
  };
  switch (form) {
    case KeywordForm::kAnyNumber: return must(value.is_number(), "must be a number");
    case KeywordForm::kFactor:
      return must(value.is_number() && value.get<double>() > 0, "must be a number above zero");
    case KeywordForm::kCount:
      return must(value.is_number_unsigned() || (value.is_number() && value.get<double>() >= 0 &&
                                                 std::floor(value.get<double>()) == value.get<double>()),
                  "must be a whole number, zero or more");
    case KeywordForm::kBoolean: return must(value.is_boolean(), "must be true or false");
    case KeywordForm::kNames: return must(are_names(value), "must be a list of names");
    case KeywordForm::kNameLists:
      return must(value.is_object() && std::all_of(value.begin(), value.end(), are_names),
                  "must be a mapping of names to lists of names");
    case KeywordForm::kType: return check_type(value, path);
    case KeywordForm::kEnum: return must(value.is_array() && !value.empty(), "must be a list of values");
    case KeywordForm::kSchemas: return must(value.is_array() && !value.empty(), "must be a list of schemas");
    case KeywordForm::kNamedSchemas: return must(value.is_object(), "must be a mapping of names to schemas");
    case KeywordForm::kPatternSchemas:
      if (!value.is_object()) return problem(path, "must be a mapping of patterns to schemas");
      return check_named_patterns(value, path);
    case KeywordForm::kPattern: {
      if (!value.is_string()) return problem(path, "must be a pattern, a text");
      const Status status = check_pattern(value.get_ref<const std::string&>());
      return must(status.ok(), status.message());
    }
    case KeywordForm::kReference:
    case KeywordForm::kAnchor:
    case KeywordForm::kIdentifier: return must(value.is_string(), "must be a text");
    default: return std::nullopt;
  }
}

class Check {
 public:
  explicit Check(const json& root) : root_(root) {}

  Problem run() {
    if (Problem bad = schema_at(root_, "", 0)) return bad;
    if (Problem bad = references()) return bad;
    return circles();
  }

 private:
  Problem schema_at(const json& schema, const std::string& path, int depth) {
    if (depth > kMaxSchemaDepth) return problem(path, "nested too deeply");
    places_[&schema] = path;
    if (schema.is_boolean()) return std::nullopt;
    if (!schema.is_object()) return problem(path, "a schema must be a mapping");
    for (const auto& [key, value] : schema.items()) {
      if (Problem bad = word(schema, key, value, path)) return bad;
    }
    Problem bad;
    for_each_schema(schema, [&](std::string_view step, const json& inner, bool in_place) {
      if (bad) return;
      if (in_place) leads_to_[&schema].push_back(&inner);
      bad = schema_at(inner, inside(path, step), depth + 1);
    });
    return bad;
  }

  Problem word(const json& schema, const std::string& key, const json& value, const std::string& path) {
    const KeywordForm form = find_keyword(key).form;
    if (form == KeywordForm::kUnknown) {
      return problem(path, fmt::format("unsupported keyword `{}`: it would not be enforced; remove it", key));
    }
    if (form == KeywordForm::kIdentifier && &schema != &root_) {
      return problem(path,
                     "unsupported keyword `$id` below the root: name a place in the same schema with "
                     "`$anchor` or a pointer");
    }
    if (Problem bad = check_value(form, value, inside(path, key))) return bad;
    if (form == KeywordForm::kReference) references_.push_back({&schema, value.get<std::string>()});
    if (form == KeywordForm::kAnchor && !anchors_.insert(value.get<std::string>()).second)
      return problem(inside(path, key), "is there twice");
    return std::nullopt;
  }

  Problem references() {
    for (const auto& [from, reference] : references_) {
      const json* target = resolve_reference(root_, reference);
      if (!target || !places_.contains(target)) {
        return problem(inside(places_[from], "$ref"),
                       fmt::format("`{}` leads to no schema of this document", reference));
      }
      leads_to_[from].push_back(target);
    }
    return std::nullopt;
  }

  // Places that lead back to themselves while the value stays the same would be followed for ever.
  Problem circles() {
    enum class Seen : std::uint8_t { kOpen, kDone };
    std::map<const json*, Seen> seen;
    struct Open {
      const json* at;
      std::size_t next = 0;
    };
    for (const auto& [start, unused] : leads_to_) {
      std::vector<Open> path;
      if (seen.emplace(start, Seen::kOpen).second) path.push_back({start});
      while (!path.empty()) {
        Open& last = path.back();
        const auto found = leads_to_.find(last.at);
        if (found == leads_to_.end() || last.next == found->second.size()) {
          seen[last.at] = Seen::kDone;
          path.pop_back();
          continue;
        }
        const json* inner = found->second[last.next++];
        const auto [at, is_new] = seen.emplace(inner, Seen::kOpen);
        if (is_new) {
          path.push_back({inner});
        } else if (at->second == Seen::kOpen) {
          return problem(places_[inner], "leads back to itself without going into the value");
        }
      }
    }
    return std::nullopt;
  }

  struct Reference {
    const json* from;
    std::string to;
  };

  const json& root_;
  std::map<const json*, std::string> places_;                 // of every schema: where it stands
  std::map<const json*, std::vector<const json*>> leads_to_;  // held against the same value
  std::vector<Reference> references_;
  std::set<std::string> anchors_;
};

}  // namespace

std::optional<std::string> check_schema(const json& schema) {
  return Check(schema).run();
}

}  // namespace holdfast::spec
