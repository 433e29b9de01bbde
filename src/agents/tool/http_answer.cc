#include "tool/http_answer.h"

#include <fmt/format.h>

#include "base/text.h"
#include "net/retry_after.h"
#include "net/text_body.h"
#include "oauth/tokens.h"

namespace holdfast::agent {

namespace {

// A server that wants more than a day is asked again at the tool's own pace.
std::optional<std::chrono::milliseconds> wait_asked_for(const net::HttpHead& head, const Clock& clock) {
  const auto wait = net::retry_after(head, clock.now());
  return wait && *wait <= std::chrono::hours(24) ? wait : std::nullopt;
}

// The server said no, or broke.
ToolEnding refused(const ToolSpec& tool, const std::string& method, const net::HttpResponse& response,
                   const ToolContext& context) {
  const int status = response.head.status;
  std::string body = net::text_body(response);
  if (context.redaction != nullptr) body = context.redaction->apply(std::move(body));
  if (context.tokens != nullptr) body = context.tokens->redact(std::move(body));
  std::string text = fmt::format("{} answered {}: {}", method, status, bounded_text(std::move(body), 2000));
  const bool busy = status == 408 || status == 425 || status == 429 || status == 503;
  if (tool.effect == Effect::kAtMostOnce) {
    // A refusal is an answer; a crash behind a 500 is not.
    return {status >= 500 && !busy ? Ending::kUnknown : Ending::kFailed, std::move(text)};
  }
  ToolEnding ending(busy || status >= 500 ? Ending::kRetry : Ending::kFailed, std::move(text));
  ending.retry_after = wait_asked_for(response.head, *context.clock);
  return ending;
}

// It was answered, so it is not asked again, whatever it has done.
ToolEnding no_data(const ToolSpec& tool, std::string why) {
  if (tool.effect != Effect::kPure) why += "; the request was answered with success, and is not repeated";
  return {Ending::kFailed, std::move(why)};
}

// The status is none or one of success, but the body did not arrive.
ToolEnding without_body(const ToolSpec& tool, std::size_t max_response_bytes, const net::FetchError& error,
                        const ToolContext& context) {
  if (error.failure == net::HttpFailure::kBadRequest || error.failure == net::HttpFailure::kRefused)
    return {Ending::kFailed, error.message};
  if (error.failure == net::HttpFailure::kTooLarge && error.received.head.status != 0) {
    std::string text = fmt::format("the response is larger than {} bytes", max_response_bytes);
    if (context.as_data) return no_data(tool, std::move(text));
    // It was answered, so what had to happen has happened.
    return {tool.effect == Effect::kPure ? Ending::kFailed : Ending::kDone, text};
  }
  if (tool.effect == Effect::kAtMostOnce) {
    return {Ending::kUnknown, fmt::format("no answer: {}", error.message)};
  }
  return {Ending::kRetry, error.message};
}

}  // namespace

std::optional<ToolEnding> unless_answered(const ToolSpec& tool, const std::string& method,
                                          std::size_t max_response_bytes,
                                          const std::expected<net::HttpResponse, net::FetchError>& response,
                                          const ToolContext& context) {
  // A status says more than how its body ended.
  const net::HttpResponse& received = response ? *response : response.error().received;
  const int status = received.head.status;
  const bool succeeded = status >= 200 && status < 300;
  if (status != 0 && !succeeded) return refused(tool, method, received, context);
  if (!response) return without_body(tool, max_response_bytes, response.error(), context);
  return std::nullopt;
}

ToolEnding answered_with(const ToolSpec& tool, const net::HttpResponse& response,
                         const ToolContext& context) {
  if (!context.as_data) return {Ending::kDone, net::text_body(response)};
  auto body = net::data_body(response);
  return body ? ToolEnding(Ending::kDone, *std::move(body)) : no_data(tool, body.error());
}

}  // namespace holdfast::agent
