#include "spec/written_order.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "spec/schema_keywords.h"

namespace holdfast::spec {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr const char* kProperties = "properties";

// Files are YAML, what others answer is JSON: both say in which order their members stand.
bool is_mapping(const YAML::Node& node) {
  return node.IsMap();
}
bool is_mapping(const ordered_json& node) {
  return node.is_object();
}
bool is_list(const YAML::Node& node) {
  return node.IsSequence();
}
bool is_list(const ordered_json& node) {
  return node.is_array();
}

template <class Each>
void each_member(const YAML::Node& mapping, const Each& each) {
  for (const auto& pair : mapping) {
    if (pair.first.IsScalar()) each(pair.first.Scalar(), pair.second);
  }
}
template <class Each>
void each_member(const ordered_json& mapping, const Each& each) {
  for (const auto& [name, value] : mapping.get_ref<const ordered_json::object_t&>()) each(name, value);
}

template <class Written>
std::vector<std::string> names_of(const Written& mapping) {
  std::vector<std::string> out;
  each_member(mapping, [&](const std::string& name, const auto&) { out.push_back(name); });
  return out;
}

// ordered_json looks through all names for each new one; these are all new.
void append(ordered_json& object, const std::string& name, ordered_json value) {
  object.get_ref<ordered_json::object_t&>().emplace_back(name, std::move(value));
}

// What is sorted says nothing, so that it has one text.
void set_order(json& schema, std::vector<std::string> names) {
  if (std::ranges::is_sorted(names)) {
    schema.erase(std::string(kOrderKeyword));
  } else {
    schema[std::string(kOrderKeyword)] = std::move(names);
  }
}

template <class Written>
void note_order(json& schema, const Written& properties) {
  set_order(schema,
            schema.contains(std::string(kOrderKeyword)) ? property_names(schema) : names_of(properties));
}

template <class Written>
void keep_order_of(json& schema, const Written& written);

template <class Written>
void keep_order_behind(KeywordForm form, json& value, const Written& written) {
  if (form == KeywordForm::kSchema) return keep_order_of(value, written);
  if (form == KeywordForm::kSchemas && value.is_array() && is_list(written)) {
    for (std::size_t i = 0; i < std::min<std::size_t>(value.size(), written.size()); ++i)
      keep_order_of<Written>(value[i], written[i]);
  }
  const bool named = form == KeywordForm::kNamedSchemas || form == KeywordForm::kPatternSchemas;
  if (!named || !value.is_object() || !is_mapping(written)) return;
  each_member(written, [&](const std::string& name, const Written& one) {
    if (const auto inner = value.find(name); inner != value.end()) keep_order_of(*inner, one);
  });
}

template <class Written>
void keep_order_of(json& schema, const Written& written) {
  if (!schema.is_object() || !is_mapping(written)) return;
  each_member(written, [&](const std::string& word, const Written& behind) {
    const auto value = schema.find(word);
    if (value == schema.end()) return;
    keep_order_behind(find_keyword(word).form, *value, behind);
    if (word == kProperties && is_mapping(behind)) note_order(schema, behind);
  });
}

// Behind these stand values, and no schema.
bool holds_values(std::string_view word) {
  return word == "enum" || word == "const" || word == "default" || word == "example" || word == "examples";
}

// `are_names`: its members are named by their writer, and not words of a schema.
template <class Written>
void keep_orders_of(json& value, const Written& written, bool are_names) {
  if (value.is_array() && is_list(written)) {
    for (std::size_t i = 0; i < std::min<std::size_t>(value.size(), written.size()); ++i)
      keep_orders_of<Written>(value[i], written[i], false);
  }
  if (!value.is_object() || !is_mapping(written)) return;
  each_member(written, [&](const std::string& word, const Written& behind) {
    const auto inner = value.find(word);
    if (inner == value.end() || (!are_names && holds_values(word))) return;
    const bool is_properties = !are_names && word == kProperties && is_mapping(behind);
    keep_orders_of(*inner, behind, is_properties);
    if (is_properties) note_order(value, behind);
  });
}

ordered_json written_behind(KeywordForm form, const json& value) {
  if (form == KeywordForm::kSchema) return as_written(value);
  ordered_json out;
  if (form == KeywordForm::kSchemas && value.is_array()) {
    out = ordered_json::array();
    for (const json& one : value) out.push_back(as_written(one));
    return out;
  }
  const bool named = form == KeywordForm::kNamedSchemas || form == KeywordForm::kPatternSchemas;
  if (!named || !value.is_object()) return value;
  out = ordered_json::object();
  for (const auto& [name, one] : value.items()) append(out, name, as_written(one));
  return out;
}

}  // namespace

void keep_order(json& schema, const YAML::Node& written) {
  keep_order_of(schema, written);
}

void keep_order(json& schema, const ordered_json& written) {
  keep_order_of(schema, written);
}

void keep_orders(json& document, const YAML::Node& written) {
  keep_orders_of(document, written, false);
}

void keep_orders(json& document, const ordered_json& written) {
  keep_orders_of(document, written, false);
}

void add_property(json& schema, const std::string& name, json property) {
  json& properties = schema[kProperties];
  if (!properties.is_object()) properties = json::object();
  const std::string word(kOrderKeyword);
  if (!properties.contains(name) && (schema.contains(word) || !properties.empty())) {
    // Most are added in the order in which they are sorted.
    if (!schema.contains(word) && std::prev(properties.end()).key() > name) {
      schema[word] = json::array();
      for (const auto& [known, one] : properties.items()) schema[word].push_back(known);
    }
    if (schema.contains(word)) schema[word].push_back(name);
  }
  schema[kProperties][name] = std::move(property);
}

ordered_json in_order(const json& value, const YAML::Node& written) {
  if (value.is_object() && written.IsMap()) {
    ordered_json out = ordered_json::object();
    for (const auto& pair : written) {
      if (!pair.first.IsScalar()) continue;
      const auto member = value.find(pair.first.Scalar());
      if (member != value.end()) append(out, member.key(), in_order(*member, pair.second));
    }
    return out;
  }
  if (value.is_array() && written.IsSequence() && value.size() == written.size()) {
    ordered_json out = ordered_json::array();
    auto item = value.begin();
    for (const auto& node : written) out.push_back(in_order(*item++, node));
    return out;
  }
  return value;
}

std::vector<std::string> property_names(const json& schema) {
  std::vector<std::string> out;
  if (!schema.is_object()) return out;
  const auto properties = schema.find(kProperties);
  if (properties == schema.end() || !properties->is_object()) return out;
  std::set<std::string> told;
  if (const auto order = schema.find(std::string(kOrderKeyword));
      order != schema.end() && order->is_array()) {
    for (const json& name : *order) {
      if (!name.is_string() || !properties->contains(name.get_ref<const std::string&>())) continue;
      if (told.insert(name.get<std::string>()).second) out.push_back(name.get<std::string>());
    }
  }
  for (const auto& [name, property] : properties->items()) {
    if (!told.contains(name)) out.push_back(name);
  }
  return out;
}

ordered_json as_written(const json& schema) {
  if (!schema.is_object()) return schema;
  auto out = ordered_json::object();
  for (const auto& [word, value] : schema.items()) {
    if (word == kOrderKeyword) continue;
    if (word != kProperties || !value.is_object()) {
      append(out, word, written_behind(find_keyword(word).form, value));
      continue;
    }
    auto properties = ordered_json::object();
    for (const std::string& name : property_names(schema)) append(properties, name, as_written(value[name]));
    append(out, word, std::move(properties));
  }
  return out;
}

}  // namespace holdfast::spec
