#include "http/form_fields.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/json_member.h"
#include "spec/written_order.h"

namespace holdfast::http {

namespace {

using nlohmann::json;
using Kind = FormField::Kind;

constexpr std::size_t kOneLine = 200;

std::string typed(const json& value) {
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

bool is_list(const json& schema, const char* key) {
  const auto found = schema.find(key);
  return found != schema.end() && found->is_array() && !found->empty();
}

void choose(FormField& out, Kind kind, const json& choices, const json* first) {
  out.kind = kind;
  out.choices = choices.get<std::vector<json>>();
  if (first == nullptr) return;
  const auto at = std::ranges::find(out.choices, *first);
  if (at != out.choices.end()) out.initial = std::to_string(at - out.choices.begin());
}

void read_text(FormField& out, const json& schema) {
  const auto longest = schema.find("maxLength");
  if (longest != schema.end() && longest->is_number_unsigned()) out.max_length = longest->get<std::size_t>();
  const std::string format = holdfast::string_member(schema, "format");
  out.kind = out.max_length > 0 && out.max_length <= kOneLine ? Kind::kText : Kind::kLines;
  for (const auto& [name, type] :
       {std::pair("email", "email"), std::pair("date", "date"), std::pair("uri", "url")}) {
    if (format != name) continue;
    out.kind = Kind::kText;
    out.input_type = type;
  }
}

FormField field_of(const std::string& name, const json& schema) {
  FormField out;
  out.name = name;
  out.label = name;
  if (!schema.is_object()) return out;
  if (const std::string title = holdfast::string_member(schema, "title"); !title.empty()) out.label = title;
  out.hint = holdfast::string_member(schema, "description");
  const auto initial = schema.find("default");
  const json* first = initial != schema.end() ? &*initial : nullptr;
  if (first != nullptr) out.initial = typed(*first);
  const std::string type = holdfast::string_member(schema, "type");
  if (is_list(schema, "enum")) {
    out.initial.clear();
    choose(out, Kind::kOne, schema["enum"], first);
  } else if (type == "object" && holdfast::string_member(schema, "format") == "file") {
    out.kind = Kind::kFile;
    const auto accept = schema.find("accept");
    if (accept != schema.end() && accept->is_array()) {
      for (const json& one : *accept) out.accept += (out.accept.empty() ? "" : ",") + typed(one);
    }
  } else if (type == "boolean") {
    out.kind = Kind::kYesNo;
  } else if (type == "integer" || type == "number") {
    out.kind = Kind::kNumber;
  } else if (type == "string") {
    read_text(out, schema);
  } else if (const auto items = schema.find("items");
             type == "array" && items != schema.end() && items->is_object() && is_list(*items, "enum")) {
    out.initial.clear();
    choose(out, Kind::kSome, (*items)["enum"], nullptr);
  }
  return out;
}

json number_of(const std::string& text) {
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error == std::errc() && end == text.data() + text.size()) return whole;
  const json value = parse_json(text);
  return value.is_number() ? value : json(text);
}

// None: nothing was chosen, or what there is not.
const json* chosen(const FormField& field, std::string_view place) {
  std::size_t at = 0;
  const auto [end, error] = std::from_chars(place.data(), place.data() + place.size(), at);
  const bool is_place = error == std::errc() && end == place.data() + place.size();
  return is_place && at < field.choices.size() ? &field.choices[at] : nullptr;
}

json value_of(const FormField& field, const std::string& text) {
  switch (field.kind) {
    case Kind::kNumber: return number_of(text);
    case Kind::kYesNo: return text == "true" ? json(true) : text == "false" ? json(false) : json(text);
    case Kind::kOne:
      if (const json* value = chosen(field, text)) return *value;
      return text;
    case Kind::kJson:
      if (auto read = read_json(text, kMaxForeignJsonDepth, Integers::kExact)) return *std::move(read);
      return text;
    default: return text;
  }
}

}  // namespace

std::vector<FormField> fields_of(const json& form) {
  static constexpr const char* kComposed[] = {"$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties"};
  const bool composed = std::ranges::any_of(kComposed, [&](const char* word) { return form.contains(word); });
  const auto properties = form.find("properties");
  if (composed || properties == form.end() || !properties->is_object() ||
      properties->size() > kMaxFormFields) {
    FormField whole;
    whole.label = "Answer, a JSON object";
    whole.required = true;
    return {whole};
  }
  std::vector<FormField> out;
  const auto required = form.find("required");
  for (const std::string& name : spec::property_names(form)) {
    FormField field = field_of(name, (*properties)[name]);
    field.required = required != form.end() && std::ranges::find(*required, json(name)) != required->end();
    out.push_back(std::move(field));
  }
  return out;
}

std::string posted_name(const FormField& field) {
  return "f." + field.name;
}

json answer_of(const std::vector<FormField>& fields, const std::vector<Header>& posted) {
  json out = json::object();
  for (const FormField& field : fields) {
    if (field.kind == Kind::kFile) continue;
    json some = json::array();
    const std::string name = posted_name(field);
    for (const Header& one : posted) {
      if (one.name != name || one.value.empty()) continue;
      std::string text = one.value;
      std::erase(text, '\r');  // lines of a form end with CRLF
      if (field.kind == Kind::kSome) {
        const json* value = chosen(field, text);
        some.push_back(value ? *value : json(text));
      } else if (field.name.empty()) {
        return value_of(field, text);
      } else {
        out[field.name] = value_of(field, text);
      }
    }
    if (field.kind == Kind::kSome && (!some.empty() || field.required)) out[field.name] = some;
  }
  return out;
}

}  // namespace holdfast::http
