#include "model/media.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/json_member.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

bool is_base64(std::string_view text) {
  const std::size_t last = text.find_last_not_of('=');
  if (last == std::string_view::npos || text.size() % 4 != 0 || text.size() - last > 3) return false;
  return text.substr(0, last + 1)
             .find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") ==
         std::string_view::npos;
}

bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
         text.find_first_of(" ;,\"\r\n") == std::string_view::npos;
}

bool is_url(std::string_view text) {
  return (text.starts_with("https://") || text.starts_with("http://")) &&
         text.find_first_of(" \"\r\n") == std::string_view::npos;
}

auto wrong(const std::string& type, const char* what) {
  return fail(Code::kInvalidArgument, "content: a part of type " + type + " " + what);
}

}  // namespace

std::string Media::as_url() const {
  return url.empty() ? "data:" + media_type + ";base64," + data : url;
}

Result<std::optional<Media>> media_of(const Part& part) {
  if (part.type != "image" && part.type != "file") return std::optional<Media>();
  const Json json = parse_json<Json>(part.json);
  if (!json.is_object() || (!json.contains("data") && !json.contains("url"))) return std::optional<Media>();
  Media out;
  out.image = part.type == "image";
  out.media_type = string_member(json, "media_type");
  out.name = string_member(json, "name");
  out.data = string_member(json, "data");
  out.url = string_member(json, "url");
  if (out.data.empty() == out.url.empty())
    return wrong(part.type, "has either `data`, as base64, or `url`, as text");
  if (!out.url.empty() && !is_url(out.url)) return wrong(part.type, "has a `url` that is no http(s) URL");
  if (!out.data.empty() && !is_base64(out.data)) return wrong(part.type, "has `data` that is not base64");
  if ((!out.data.empty() || !out.media_type.empty()) && !is_media_type(out.media_type))
    return wrong(part.type, "needs a `media_type` such as image/png or application/pdf");
  return std::optional<Media>(std::move(out));
}

Status check_media(const std::vector<Message>& messages, Status (*takes)(const Media& media)) {
  for (const Message& message : messages) {
    for (const Part& part : message.content) {
      Result<std::optional<Media>> media = media_of(part);
      if (!media) return media.error();
      if (!*media) continue;
      if (Status status = takes(**media); !status.ok()) return status;
    }
  }
  return {};
}

}  // namespace holdfast::model
