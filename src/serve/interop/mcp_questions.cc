#include "interop/mcp_questions.h"

#include <algorithm>
#include <array>

#include "interop/json_rpc.h"
#include "spec/written_order.h"

namespace holdfast::interop {

namespace {

using protocol::HumanQuestion;

// Of a field; what else the form says of it is checked when the answer is there.
constexpr std::array kWords = {"type",    "title",     "description", "enum",   "minimum",
                               "maximum", "minLength", "maxLength",   "default"};
constexpr std::array<std::string_view, 4> kFormats = {"email", "uri", "date", "date-time"};

bool is_text(const Json& value) {
  return value.is_string();
}

std::optional<Json> field_of(const Json& property) {
  if (!property.is_object()) return std::nullopt;
  Json out = Json::object();
  for (const char* word : kWords) {
    if (property.contains(word)) out[word] = property[word];
  }
  const Json choices = property.value("enum", Json());
  if (!choices.is_null() &&
      (!choices.is_array() || choices.empty() || !std::ranges::all_of(choices, is_text)))
    return std::nullopt;
  if (!choices.is_null()) out["type"] = "string";
  const std::string type = text_member(out, "type");
  if (type != "string" && type != "number" && type != "integer" && type != "boolean") return std::nullopt;
  if (std::ranges::find(kFormats, text_member(property, "format")) != kFormats.end())
    out["format"] = property["format"];
  return out;
}

}  // namespace

std::optional<Json> elicitation_form(const HumanQuestion& question) {
  const Json form = spec::as_written(question.form);
  const Json properties = form.is_object() ? form.value("properties", Json()) : Json();
  if (!properties.is_object() || properties.empty()) return std::nullopt;
  Json fields = Json::object();
  for (const auto& [name, property] : properties.items()) {
    auto field = field_of(property);
    if (!field) return std::nullopt;
    fields[name] = *std::move(field);
  }
  Json out = {{"type", "object"}, {"properties", std::move(fields)}};
  if (form.contains("required")) out["required"] = form["required"];
  return out;
}

}  // namespace holdfast::interop
