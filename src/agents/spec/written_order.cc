#include "spec/written_order.h"

#include <algorithm>
#include <set>
#include <utility>

#include "spec/schema_keywords.h"

namespace holdfast::spec {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr const char* kProperties = "properties";

std::vector<std::string> names_of(const YAML::Node& mapping) {
  std::vector<std::string> out;
  for (const auto& pair : mapping) {
    if (pair.first.IsScalar()) out.push_back(pair.first.Scalar());
  }
  return out;
}

// ordered_json looks through all names for each new one; these are all new.
void append(ordered_json& object, const std::string& name, ordered_json value) {
  object.get_ref<ordered_json::object_t&>().emplace_back(name, std::move(value));
}

// What is sorted says nothing, so that it has one text.
void note_order(json& schema, const YAML::Node& properties) {
  const std::string word(kOrderKeyword);
  std::vector<std::string> names = schema.contains(word) ? property_names(schema) : names_of(properties);
  if (std::ranges::is_sorted(names)) {
    schema.erase(word);
  } else {
    schema[word] = std::move(names);
  }
}

void keep_order_behind(KeywordForm form, json& value, const YAML::Node& written) {
  if (form == KeywordForm::kSchema) return keep_order(value, written);
  if (form == KeywordForm::kSchemas && value.is_array() && written.IsSequence()) {
    for (std::size_t i = 0; i < std::min(value.size(), written.size()); ++i) keep_order(value[i], written[i]);
  }
  const bool named = form == KeywordForm::kNamedSchemas || form == KeywordForm::kPatternSchemas;
  if (!named || !value.is_object() || !written.IsMap()) return;
  for (const auto& pair : written) {
    if (!pair.first.IsScalar()) continue;
    if (const auto inner = value.find(pair.first.Scalar()); inner != value.end())
      keep_order(*inner, pair.second);
  }
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
  if (!schema.is_object() || !written.IsMap()) return;
  for (const auto& pair : written) {
    if (!pair.first.IsScalar()) continue;
    const std::string& word = pair.first.Scalar();
    const auto value = schema.find(word);
    if (value == schema.end()) continue;
    keep_order_behind(find_keyword(word).form, *value, pair.second);
    if (word == kProperties && pair.second.IsMap()) note_order(schema, pair.second);
  }
}

std::vector<std::string> property_names(const json& schema) {
  std::vector<std::string> out;
  if (!schema.is_object()) return out;
  const auto properties = schema.find(kProperties);
  if (properties == schema.end() || !properties->is_object()) return out;
  std::set<std::string> told;
  if (const auto order = schema.find(std::string(kOrderKeyword)); order != schema.end() && order->is_array()) {
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
