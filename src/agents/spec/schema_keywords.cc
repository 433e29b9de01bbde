#include "spec/schema_keywords.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/url.h"

namespace holdfast::spec {

using nlohmann::json;

namespace {

using Form = KeywordForm;

constexpr std::array kKeywords = {
    Keyword{"$anchor", Form::kAnchor},
    Keyword{"$comment", Form::kAnnotation},
    Keyword{"$defs", Form::kNamedSchemas},
    Keyword{"$id", Form::kIdentifier},
    Keyword{"$ref", Form::kReference},
    Keyword{"$schema", Form::kAnnotation},
    Keyword{"additionalProperties", Form::kSchema},
    Keyword{"allOf", Form::kSchemas, true},
    Keyword{"anyOf", Form::kSchemas, true},
    Keyword{"const", Form::kValue},
    Keyword{"contains", Form::kSchema},
    Keyword{"contentEncoding", Form::kAnnotation},
    Keyword{"contentMediaType", Form::kAnnotation},
    Keyword{"contentSchema", Form::kAnnotation},
    Keyword{"default", Form::kAnnotation},
    // What $defs was called before 2019-09; generators still write it.
    Keyword{"definitions", Form::kNamedSchemas},
    Keyword{"dependentRequired", Form::kNameLists},
    Keyword{"dependentSchemas", Form::kNamedSchemas, true},
    Keyword{"deprecated", Form::kAnnotation},
    Keyword{"description", Form::kAnnotation},
    Keyword{"else", Form::kSchema, true},
    Keyword{"enum", Form::kEnum},
    Keyword{"examples", Form::kAnnotation},
    Keyword{"exclusiveMaximum", Form::kAnyNumber},
    Keyword{"exclusiveMinimum", Form::kAnyNumber},
    Keyword{"format", Form::kAnnotation},
    Keyword{"if", Form::kSchema, true},
    Keyword{"items", Form::kSchema},
    Keyword{"maxContains", Form::kCount},
    Keyword{"maxItems", Form::kAnyNumber},
    Keyword{"maxLength", Form::kAnyNumber},
    Keyword{"maxProperties", Form::kCount},
    Keyword{"maximum", Form::kAnyNumber},
    Keyword{"minContains", Form::kCount},
    Keyword{"minItems", Form::kAnyNumber},
    Keyword{"minLength", Form::kAnyNumber},
    Keyword{"minProperties", Form::kCount},
    Keyword{"minimum", Form::kAnyNumber},
    Keyword{"multipleOf", Form::kFactor},
    Keyword{"not", Form::kSchema, true},
    Keyword{"oneOf", Form::kSchemas, true},
    Keyword{"pattern", Form::kPattern},
    Keyword{"patternProperties", Form::kPatternSchemas},
    Keyword{"prefixItems", Form::kSchemas},
    Keyword{"properties", Form::kNamedSchemas},
    Keyword{"propertyNames", Form::kSchema},
    Keyword{"readOnly", Form::kAnnotation},
    Keyword{"required", Form::kNames},
    Keyword{"then", Form::kSchema, true},
    Keyword{"title", Form::kAnnotation},
    Keyword{"type", Form::kType},
    Keyword{"unevaluatedItems", Form::kSchema},
    Keyword{"unevaluatedProperties", Form::kSchema},
    Keyword{"uniqueItems", Form::kBoolean},
    Keyword{"writeOnly", Form::kAnnotation},
    Keyword{"x-holdfast-order", Form::kAnnotation},  // written_order.h
};
static_assert(std::ranges::is_sorted(kKeywords, {}, &Keyword::name));

// One step of a JSON pointer. None: there is nothing.
const json* step_into(const json& from, std::string token) {
  for (const auto& [escaped, plain] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}}) {
    for (std::size_t at = 0; (at = token.find(escaped, at)) != std::string::npos; ++at)
      token.replace(at, 2, plain);
  }
  if (from.is_object()) {
    const auto found = from.find(token);
    return found == from.end() ? nullptr : &*found;
  }
  if (!from.is_array() || token.empty() || token.size() > 9) return nullptr;
  if (token.find_first_not_of("0123456789") != std::string::npos) return nullptr;
  if (token.size() > 1 && token[0] == '0') return nullptr;
  const auto index = static_cast<std::size_t>(std::stoul(token));
  return index < from.size() ? &from[index] : nullptr;
}

const json* find_anchor(const json& schema, std::string_view name) {
  if (!schema.is_object()) return nullptr;
  const auto anchor = schema.find("$anchor");
  if (anchor != schema.end() && anchor->is_string() && anchor->get_ref<const std::string&>() == name)
    return &schema;
  const json* found = nullptr;
  for_each_schema(schema, [&](std::string_view, const json& inner, bool) {
    if (!found) found = find_anchor(inner, name);
  });
  return found;
}

}  // namespace

Keyword find_keyword(std::string_view name) {
  const auto found = std::ranges::lower_bound(kKeywords, name, {}, &Keyword::name);
  return found != kKeywords.end() && found->name == name ? *found : Keyword{name};
}

void for_each_schema(const json& schema, const EachSchema& each) {
  if (!schema.is_object()) return;
  for (const auto& [key, value] : schema.items()) {
    const Keyword keyword = find_keyword(key);
    if (keyword.form == Form::kSchema) {
      each(key, value, keyword.in_place);
    } else if (keyword.form == Form::kSchemas && value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i)
        each(fmt::format("{}[{}]", key, i), value[i], keyword.in_place);
    } else if ((keyword.form == Form::kNamedSchemas || keyword.form == Form::kPatternSchemas) &&
               value.is_object()) {
      for (const auto& [name, inner] : value.items())
        each(fmt::format("{}.{}", key, name), inner, keyword.in_place);
    }
  }
}

const json* resolve_reference(const json& root, std::string_view reference) {
  const auto id = root.is_object() ? root.find("$id") : root.end();
  if (root.is_object() && id != root.end() && id->is_string()) {
    std::string_view own = id->get_ref<const std::string&>();
    own = own.substr(0, own.find('#'));
    if (!own.empty() && reference.starts_with(own)) {
      reference.remove_prefix(own.size());
      if (reference.empty()) return &root;
    }
  }
  if (!reference.starts_with('#')) return nullptr;
  const std::optional<std::string> decoded = percent_decode(reference.substr(1), false);
  if (!decoded) return nullptr;
  const std::string& fragment = *decoded;
  if (fragment.empty()) return &root;
  if (fragment[0] != '/') return find_anchor(root, fragment);
  const json* at = &root;
  std::size_t begin = 1;
  while (at) {
    const std::size_t end = fragment.find('/', begin);
    at = step_into(*at, fragment.substr(begin, end == std::string::npos ? end : end - begin));
    if (end == std::string::npos) break;
    begin = end + 1;
  }
  return at;
}

}  // namespace holdfast::spec
