#pragma once

// Small helpers of the API's handlers: JSON in, JSON out, times, cursors. Internal to the module.

#include <nlohmann/json.hpp>
#include <string>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "http/message.h"

namespace holdfast::http {

using Json = nlohmann::ordered_json;

// Text that should be JSON; when it is not, a JSON string of it.
Json parse_or_string(const std::string& text);

Response json_response(const Json& body, int status = 200);

// "2026-11-21T09:00:00.123Z"
std::string iso_time(WallTime time);

// The request's body as a JSON object whose members are all in `known`; a Problem says what is wrong and
// where.
std::expected<Json, Problem> json_body(const Request& request, std::initializer_list<std::string_view> known,
                                       bool may_be_empty = false);
// A member that must be a string when it is there. Empty and absent are the same.
std::expected<std::string, Problem> string_member(const Json& body, std::string_view name,
                                                  std::size_t max_bytes);
// ?name=N within the range, or the fallback.
std::expected<std::uint32_t, Problem> number_parameter(const Request& request, std::string_view name,
                                                       std::uint32_t fallback, std::uint32_t min,
                                                       std::uint32_t max);

std::string base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace holdfast::http
