#include "protocol/human_question.h"

#include <algorithm>

#include "protocol/fields.h"

namespace holdfast::protocol {

namespace {

void fields(auto& archive, Is<HumanQuestion> auto& v) {
  archive("text", v.text)("form", v.form)("people", v.people)("roles", v.roles)("default", v.fallback)(
      "deadline_ms", v.deadline_ms);
}

}  // namespace

HOLDFAST_PROTOCOL_JSON(HumanQuestion)

namespace {

bool is_file(const Json& property) {
  return property.is_object() && property.value("format", Json()) == "file";
}

// "type/subtype", or "type/*".
bool is_media_type(const Json& text) {
  if (!text.is_string()) return false;
  const auto& type = text.get_ref<const std::string&>();
  const std::size_t slash = type.find('/');
  return slash != std::string::npos && slash > 0 && slash + 1 < type.size() && type.size() <= 100 &&
         type.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789/.+-*_") == std::string::npos;
}

}  // namespace

std::vector<FileField> file_fields(const Json& form) {
  std::vector<FileField> out;
  const auto properties = form.find("properties");
  if (properties == form.end() || !properties->is_object()) return out;
  for (const auto& [name, property] : properties->items()) {
    if (!is_file(property)) continue;
    FileField& field = out.emplace_back();
    field.name = name;
    field.max_bytes = property.value("maxBytes", kMaxUploadBytes);
    for (const Json& type : property.value("accept", Json::array())) field.accept.push_back(type.get<std::string>());
  }
  return out;
}

std::string wrong_file_fields(const Json& form) {
  const auto properties = form.find("properties");
  if (properties == form.end() || !properties->is_object()) return {};
  for (const auto& [name, property] : properties->items()) {
    if (!is_file(property)) continue;
    if (property.value("type", Json()) != "object") return "`" + name + "`: a file is of `type: object`";
    const Json accept = property.value("accept", Json());
    if (!accept.is_array() || accept.empty() || accept.size() > 20 ||
        !std::ranges::all_of(accept, is_media_type))
      return "`" + name + "`: `accept` lists the media types of the file, such as image/png or image/*";
    const Json most = property.value("maxBytes", Json(1));
    if (!most.is_number_integer() || most < 1 || most > kMaxUploadBytes)
      return "`" + name + "`: `maxBytes` is 1 to " + std::to_string(kMaxUploadBytes);
  }
  return {};
}

bool accepts(const FileField& field, std::string_view media_type) {
  return std::ranges::any_of(field.accept, [&](std::string_view type) {
    return type == media_type || (type.ends_with("/*") && media_type.starts_with(type.substr(0, type.size() - 1)));
  });
}

}  // namespace holdfast::protocol
