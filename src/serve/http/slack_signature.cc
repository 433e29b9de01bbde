#include "http/slack_signature.h"

#include <charconv>

#include "base/sha256.h"

namespace holdfast::http {

namespace {

Status refused(const char* why) {
  return {Code::kUnauthenticated, why};
}

}  // namespace

std::string slack_signature(std::string_view secret, std::string_view timestamp, std::string_view body) {
  std::string signed_text = "v0:";
  signed_text += timestamp;
  signed_text += ':';
  signed_text += body;
  return "v0=" + hex_of(hmac_sha256(secret, signed_text));
}

Status SlackSignatures::check(std::string_view timestamp, std::string_view signature, std::string_view body,
                              WallTime now) {
  if (secret_.empty()) return refused("this server has no signing secret of Slack's");
  std::int64_t at = 0;
  const auto [end, error] = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), at);
  if (timestamp.empty() || error != std::errc() || end != timestamp.data() + timestamp.size())
    return refused("X-Slack-Request-Timestamp is no number of seconds");
  const std::int64_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  if (at < seconds - kSlackWindow.count() || at > seconds + kSlackWindow.count())
    return refused("X-Slack-Request-Timestamp is more than five minutes from now");
  if (!equal_in_constant_time(slack_signature(secret_, timestamp, body), signature))
    return refused("X-Slack-Signature is not Slack's");
  std::lock_guard lock(mutex_);
  if (seen_.contains(signature)) return {Code::kAlreadyExists, "this request came before"};
  if (seen_.size() >= kMaxSlackSeen)
    std::erase_if(seen_, [&](const auto& one) { return one.second < seconds - kSlackWindow.count(); });
  if (seen_.size() >= kMaxSlackSeen) return {Code::kResourceExhausted, "too many requests of Slack's"};
  seen_.emplace(signature, at);
  return {};
}

}  // namespace holdfast::http
