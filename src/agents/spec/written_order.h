#pragma once

// The order in which a schema names its properties, and a value its members. JSON is sorted by name here, so
// that what is the same has one text and one hash; but a model fills in the fields of its answer in the order
// of the schema (the reasoning before the verdict), and a form asks in that order. So a schema whose
// properties are not sorted says how they stood, in a word of ours beside `properties`, and whoever shows it
// to a model or a person puts them back. Pure functions.

#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>

namespace holdfast::spec {

// A list of names. An annotation: it says nothing about what is valid.
inline constexpr std::string_view kOrderKeyword = "x-holdfast-order";

// `schema` is what `written` was converted to. A schema that says its order itself keeps that one.
void keep_order(nlohmann::json& schema, const YAML::Node& written);
void keep_order(nlohmann::json& schema, const nlohmann::ordered_json& written);

// The same of every schema in a document that holds many, wherever it stands: whatever has `properties`.
void keep_orders(nlohmann::json& document, const YAML::Node& written);
void keep_orders(nlohmann::json& document, const nlohmann::ordered_json& written);

// For schemas that are put together: behind those that it has, in place of one of that name.
void add_property(nlohmann::json& schema, const std::string& name, nlohmann::json property);

// A value, its members in the order of the file. `value` is what `written` was converted to.
nlohmann::ordered_json in_order(const nlohmann::json& value, const YAML::Node& written);

// Of one schema, in the order in which they were written; those of which the order says nothing last, sorted.
std::vector<std::string> property_names(const nlohmann::json& schema);

// The schema with its properties in their order, at every depth, and without the word that says it.
nlohmann::ordered_json as_written(const nlohmann::json& schema);

}  // namespace holdfast::spec
