#include "net/retry_after.h"

#include <curl/curl.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

namespace holdfast::net {

namespace {

using std::chrono::milliseconds;

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value)) return std::nullopt;  // "inf" is read as a number, and says no time
  return value;
}

std::optional<milliseconds> positive(double value) {
  if (!(value > 0)) return std::nullopt;
  return value >= static_cast<double>(kLongestRetryAfter.count())
             ? kLongestRetryAfter
             : milliseconds(static_cast<std::int64_t>(value + 0.999));
}

}  // namespace

std::optional<milliseconds> retry_after(const HttpHead& head, WallTime now) {
  if (const auto ms = number_of(head.header("retry-after-ms"))) {
    if (const auto wait = positive(*ms)) return wait;
  }
  const std::string text(head.header("retry-after"));
  if (text.empty()) return std::nullopt;
  if (const auto seconds = number_of(text)) return positive(*seconds * 1000);
  const time_t date = curl_getdate(text.c_str(), nullptr);
  if (date == -1) return std::nullopt;
  const auto now_ms = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
  return positive(static_cast<double>(static_cast<std::int64_t>(date) * 1000 - now_ms));
}

}  // namespace holdfast::net
