#pragma once

// When a server that refused wants to be asked again. Pure.

#include <chrono>
#include <optional>

#include "holdfast/seams.h"
#include "net/http_client.h"

namespace holdfast::net {

// `retry-after-ms`, else `retry-after` in seconds or as a date (RFC 9110, section 10.2.3); at most
// kLongestRetryAfter. None: absent, unreadable, zero, infinite, or past.
inline constexpr std::chrono::milliseconds kLongestRetryAfter = std::chrono::hours(24 * 30);
std::optional<std::chrono::milliseconds> retry_after(const HttpHead& head, WallTime now);

}  // namespace holdfast::net
