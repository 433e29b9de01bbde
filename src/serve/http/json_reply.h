#pragma once

// Small helpers of the API's handlers: JSON in, JSON out, cursors. Internal to the module.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/iso_time.h"
#include "base/json.h"
#include "holdfast/status.h"
#include "http/message.h"
#include "platform/run_index.h"

namespace holdfast::http {

using Json = nlohmann::ordered_json;

Response json_response(const Json& body, int status = 200);

// The request's body as a JSON object; a Problem says what is wrong with it.
std::expected<Json, Problem> json_object(const Request& request, bool may_be_empty = false);
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
// A cursor is of one list, that of the request's path: it names the place behind which its next page begins.
std::string cursor_of(std::string_view path, std::string_view place);
// `next_cursor` of a page; null when the place is empty: the list ends there.
Json next_cursor(std::string_view path, std::string_view place);
// The place again, of a cursor of this very list.
std::expected<std::string, Problem> place_of_cursor(const Request& request, std::string_view cursor);
// That of ?cursor=; empty when there is none.
std::expected<std::string, Problem> cursor_parameter(const Request& request);
// The same of a list whose places are numbers; 0: from its beginning.
std::expected<std::uint64_t, Problem> place_parameter(const Request& request);

// Moments of RFC 3339, from the first one on, until before the second; `code` is of the problem.
std::expected<platform::TimeRange, Problem> range_of(std::optional<std::string_view> from,
                                                     std::optional<std::string_view> to,
                                                     std::string_view code);
// ?from= and ?to=
std::expected<platform::TimeRange, Problem> range_parameters(const Request& request);

}  // namespace holdfast::http
