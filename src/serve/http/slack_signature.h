#pragma once

// Whether a request comes from Slack: v0 of its request signing, an HMAC-SHA256 over the time and the body
// (https://docs.slack.dev/authentication/verifying-requests-from-slack), within five minutes, and each one
// once. Thread-safe. Internal to the module.

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::http {

inline constexpr std::chrono::seconds kSlackWindow{300};
inline constexpr std::size_t kMaxSlackSeen = 100'000;

class SlackSignatures {
 public:
  explicit SlackSignatures(std::string secret) : secret_(std::move(secret)) {}

  // UNAUTHENTICATED says what is wrong, ALREADY_EXISTS: it came before, RESOURCE_EXHAUSTED: too many in one
  // window. `timestamp`, `signature`: X-Slack-Request-Timestamp and X-Slack-Signature.
  Status check(std::string_view timestamp, std::string_view signature, std::string_view body, WallTime now);

 private:
  const std::string secret_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t, std::less<>> seen_;  // guarded by mutex_: good ones, and their seconds
};

// "v0=..." of what Slack would send.
std::string slack_signature(std::string_view secret, std::string_view timestamp, std::string_view body);

}  // namespace holdfast::http
