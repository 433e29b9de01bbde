#include "openapi/yaml_text.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "spec/written_order.h"

namespace holdfast::openapi {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 16> kFirst = {
    "apiVersion",  "kind",       "metadata", "name",     "type",   "method", "url",        "effect",
    "description", "properties", "model",    "provider", "prompt", "tools",  "parameters", "http"};

std::size_t rank(const std::string& key) {
  return static_cast<std::size_t>(std::find(kFirst.begin(), kFirst.end(), key) - kFirst.begin());
}

// Text that YAML takes for text as it stands.
bool is_plain(const std::string& text) {
  static constexpr std::array<std::string_view, 12> kWords = {"true", "false", "null", "yes", "no",  "on",
                                                              "off",  "y",     "n",    "nan", "inf", "~"};
  std::string lower;
  for (const char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) &&
         std::find(kWords.begin(), kWords.end(), lower) == kWords.end() && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '/' ||
                  c == '.' || c == ' ';
         });
}

void write(YAML::Emitter& out, const json& value, const std::string& key, const json* schema);

void write_text(YAML::Emitter& out, const std::string& text) {
  if (!is_plain(text)) out << YAML::DoubleQuoted;
  out << text;
}

bool is_short(const json& value) {
  return value.empty() || (value.is_array() && value.front().is_primitive());
}

// Names of arguments keep their order, which a file says by itself; keywords stand in that of the guide.
std::vector<std::string> keys_of(const json& object, const std::string& key, const json* schema) {
  if (schema != nullptr) return spec::property_names(*schema);
  std::vector<std::string> keys;
  for (const auto& [name, unused] : object.items()) {
    if (name != spec::kOrderKeyword) keys.push_back(name);
  }
  if (key != "headers") {
    std::sort(keys.begin(), keys.end(),
              [](const auto& a, const auto& b) { return std::pair(rank(a), a) < std::pair(rank(b), b); });
  }
  return keys;
}

// `schema`: whose `properties` the value is; null: it is none.
void write(YAML::Emitter& out, const json& value, const std::string& key, const json* schema) {
  if (value.is_object()) {
    const std::vector<std::string> keys = keys_of(value, key, schema);
    if (keys.empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const std::string& name : keys) {
      out << YAML::Key;
      write_text(out, name);
      out << YAML::Value;
      const bool are_properties = schema == nullptr && name == "properties" && value[name].is_object();
      write(out, value[name], name, are_properties ? &value : nullptr);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    if (is_short(value)) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const json& one : value) write(out, one, "", nullptr);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    write_text(out, value.get<std::string>());
  } else {
    out << dump_json(value);
  }
}

}  // namespace

std::string yaml_text(const json& value) {
  YAML::Emitter out;
  out.SetIndent(2);
  write(out, value, "", nullptr);
  return std::string(out.c_str()) + "\n";
}

}  // namespace holdfast::openapi
