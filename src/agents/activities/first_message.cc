#include "activities/first_message.h"

#include <optional>

#include <fmt/format.h>

#include "base/json.h"
#include "model/media.h"

namespace holdfast::agent {

namespace {

using Json = nlohmann::json;

bool is_content(const Json& input) {
  if (!input.is_object() || input.size() != 1 || !input.contains("content")) return false;
  const Json& content = input["content"];
  if (!content.is_array() || content.empty()) return false;
  for (const Json& part : content) {
    if (!part.is_object() || !part.contains("type") || !part["type"].is_string()) return false;
  }
  return true;
}

// A member that nobody reads would be a wish that nobody grants.
Status check_members(const Json& part) {
  const bool text = part["type"] == "text";
  for (const auto& [name, value] : part.items()) {
    const bool known =
        name == "type" ||
        (text ? name == "text" : name == "media_type" || name == "name" || name == "data" || name == "url");
    if (!known) return {Code::kInvalidArgument, fmt::format("content: a part has no member `{}`", name)};
  }
  if (text && !part.contains("text"))
    return {Code::kInvalidArgument, "content: a part of type text needs `text`"};
  return {};
}

Status check_part(const model::Part& part) {
  if (part.type == "text") return {};
  const Result<std::optional<model::Media>> media = model::media_of(part);
  if (!media) return media.error();
  if (*media) return {};
  return {Code::kInvalidArgument,
          fmt::format("content: a part is of type text, image or file, with `data` or `url`, and not `{}`",
                      part.type)};
}

}  // namespace

Result<model::Message> first_message(const std::string& input) {
  const Json json = input.starts_with('{') ? parse_json(input) : Json();
  if (!is_content(json)) return model::Message::user(input);
  if (json["content"].size() > kMaxInputParts)
    return fail(Code::kInvalidArgument, fmt::format("content: at most {} parts", kMaxInputParts));
  for (const Json& part : json["content"]) {
    if (Status status = check_members(part); !status.ok()) return fail(status);
  }
  auto message = model::message_from_json(dump_json(Json{{"role", "user"}, {"content", json["content"]}}));
  if (!message) return message;
  for (const model::Part& part : message->content) {
    if (Status status = check_part(part); !status.ok()) return fail(status);
  }
  return message;
}

}  // namespace holdfast::agent
