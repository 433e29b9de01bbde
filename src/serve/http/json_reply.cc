#include "http/json_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "base/base64.h"
#include "base/json.h"
#include "base/json_repeats.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/url.h"
#include "net/content_type.h"

namespace holdfast::http {

Response json_response(const Json& body, int status) {
  Response response;
  response.status = status;
  response.body = dump_json(body);
  return response;
}

std::expected<Json, Problem> json_object(const Request& request, bool may_be_empty) {
  if (request.body.empty() && may_be_empty) return Json::object();
  const std::string_view type = request.header("content-type");
  if (net::media_type(type) != "application/json" || !net::is_utf8_text(type)) {
    return std::unexpected(
        Problem(415, "unsupported_media_type", "the body must be application/json in UTF-8")
            .hint("send the header Content-Type: application/json"));
  }
  if (nests_deeper(request.body, kMaxForeignJsonDepth)) {
    return std::unexpected(Problem(400, "invalid_json",
                                   fmt::format("the body nests deeper than {} levels", kMaxForeignJsonDepth))
                               .hint("pass what is nested so deep as a string"));
  }
  auto read = read_json<Json>(request.body, kMaxJsonDepth, Integers::kExact);
  if (!read) {
    return std::unexpected(
        Problem(400, "invalid_json", fmt::format("the body is not valid JSON: {}", read.error().message())));
  }
  if (const auto twice = repeated_member(request.body)) {
    return std::unexpected(
        Problem(400, "invalid_json", fmt::format("an object of the body has the member '{}' twice", *twice))
            .hint("readers differ on which of the two counts: leave one out"));
  }
  Json body = std::move(*read);
  if (!body.is_object()) {
    return std::unexpected(Problem(400, "invalid_json", "the body must be a JSON object"));
  }
  return body;
}

std::expected<Json, Problem> json_body(const Request& request, std::initializer_list<std::string_view> known,
                                       bool may_be_empty) {
  auto body = json_object(request, may_be_empty);
  if (!body) return body;
  for (const auto& [name, value] : body->items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string names;
      for (std::string_view one : known) names += fmt::format("{}{}", names.empty() ? "" : ", ", one);
      return std::unexpected(
          Problem(400, "unknown_field", fmt::format("'{}' is not a field of this request", name))
              .hint("the fields are: " + names));
    }
  }
  return body;
}

std::expected<std::string, Problem> string_member(const Json& body, std::string_view name,
                                                  std::size_t max_bytes) {
  auto found = body.find(name);
  if (found == body.end() || found->is_null()) return std::string();
  if (!found->is_string()) {
    return std::unexpected(Problem(400, "invalid_field", fmt::format("'{}' must be a string", name)));
  }
  std::string text = found->get<std::string>();
  if (text.size() > max_bytes) {
    return std::unexpected(
        Problem(400, "invalid_field",
                fmt::format("'{}' has {} bytes, at most {} are accepted", name, text.size(), max_bytes)));
  }
  return text;
}

std::expected<std::uint32_t, Problem> number_parameter(const Request& request, std::string_view name,
                                                       std::uint32_t fallback, std::uint32_t min,
                                                       std::uint32_t max) {
  auto text = request.query_value(name);
  if (!text) return fallback;
  std::uint32_t value = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < min || value > max) {
    return std::unexpected(
        Problem(400, "invalid_parameter",
                fmt::format("'{}={}' must be a number from {} to {}", name, *text, min, max)));
  }
  return value;
}

namespace {

constexpr std::size_t kTagBytes = 8;

// What says of which list a cursor is; whoever forges one harms himself alone.
std::string list_tag(std::string_view path) {
  std::string list = percent_decode(path, false).value_or(std::string(path));
  while (list.ends_with('/')) list.pop_back();
  return sha256_hex(list).substr(0, kTagBytes);
}

}  // namespace

std::string cursor_of(std::string_view path, std::string_view place) {
  return base64url(list_tag(path) + std::string(place));
}

Json next_cursor(std::string_view path, std::string_view place) {
  return place.empty() ? Json(nullptr) : Json(cursor_of(path, place));
}

std::expected<std::string, Problem> place_of_cursor(const Request& request, std::string_view cursor) {
  auto decoded = from_base64url(cursor);
  if (decoded && decoded->size() > kTagBytes && decoded->starts_with(list_tag(request.path)))
    return decoded->substr(kTagBytes);
  return std::unexpected(Problem(400, "invalid_cursor", "the cursor is not one of this list")
                             .hint("read the list from its beginning, without a cursor"));
}

std::expected<std::string, Problem> cursor_parameter(const Request& request) {
  auto cursor = request.query_value("cursor");
  return cursor ? place_of_cursor(request, *cursor) : std::string();
}

std::expected<platform::TimeRange, Problem> range_of(std::optional<std::string_view> from,
                                                     std::optional<std::string_view> to,
                                                     std::string_view code) {
  platform::TimeRange out;
  const std::tuple<const char*, std::optional<std::string_view>, std::optional<WallTime>*> ends[] = {
      {"from", from, &out.from}, {"to", to, &out.to}};
  for (const auto& [name, text, into] : ends) {
    if (!text) continue;
    *into = parse_iso_time(*text);
    if (*into) continue;
    return std::unexpected(
        Problem(400, std::string(code),
                fmt::format("'{}' is no moment: '{}'", name, bounded_text(std::string(*text), 100)))
            .hint("RFC 3339, such as 2026-11-28T09:30:00Z; a + in an address is written %2B"));
  }
  if (out.from && out.to && *out.from >= *out.to)
    return std::unexpected(Problem(400, std::string(code), "'from' is not before 'to'"));
  return out;
}

std::expected<platform::TimeRange, Problem> range_parameters(const Request& request) {
  return range_of(request.query_value("from"), request.query_value("to"), "invalid_parameter");
}

std::expected<std::uint64_t, Problem> place_parameter(const Request& request) {
  auto cursor = cursor_parameter(request);
  if (!cursor) return std::unexpected(cursor.error());
  std::uint64_t place = 0;
  if (cursor->empty()) return place;
  const auto [end, error] = std::from_chars(cursor->data(), cursor->data() + cursor->size(), place);
  if (error == std::errc() && end == cursor->data() + cursor->size()) return place;
  return std::unexpected(Problem(400, "invalid_cursor", "the cursor is not one of ours"));
}

}  // namespace holdfast::http
