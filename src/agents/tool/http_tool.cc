#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "spec/template.h"
#include "tool/tool.h"

namespace holdfast::agent {

namespace {

struct Exchange {
  std::mutex mutex;
  std::condition_variable wake;
  bool done = false;  // guarded by mutex, like all below
  net::HttpHead head;
  std::string body;
  std::optional<net::HttpError> error;
};

// Like net::fetch, and beats while it waits.
std::shared_ptr<Exchange> exchange(net::HttpClient& http, net::HttpRequest request,
                                   const ToolContext& context) {
  auto state = std::make_shared<Exchange>();
  net::HttpHandler handler;
  handler.head = [state](const net::HttpHead& head) {
    std::lock_guard lock(state->mutex);
    state->head = head;
  };
  handler.body = [state](std::string_view bytes) {
    std::lock_guard lock(state->mutex);
    state->body.append(bytes);
  };
  handler.done = [state](std::expected<void, net::HttpError> result) {
    std::lock_guard lock(state->mutex);
    if (!result) state->error = result.error();
    state->done = true;
    state->wake.notify_all();
  };
  http.start(std::move(request), std::move(handler), context.stop);
  std::unique_lock lock(state->mutex);
  while (!state->wake.wait_for(lock, kBeatInterval, [&] { return state->done; })) {
    lock.unlock();
    if (context.beat) context.beat();
    lock.lock();
  }
  return state;
}

Json unused_arguments(const Json& arguments, const std::vector<std::string>& used) {
  Json rest = Json::object();
  for (const auto& [name, value] : arguments.items()) {
    if (std::find(used.begin(), used.end(), name) == used.end()) rest[name] = value;
  }
  return rest;
}

void append_query(std::string& url, const Json& values) {
  for (const auto& [name, value] : values.items()) {
    if (value.is_null()) continue;
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += percent_encode(name) + "=" +
           percent_encode(value.is_string() ? value.get<std::string>() : value.dump());
  }
}

Result<net::HttpRequest> build_request(const ToolSpec& tool, const Json& arguments,
                                       const ToolContext& context) {
  const HttpTool& spec = tool.http;
  auto url = UrlTemplate::parse(spec.url);
  if (!url) return fail(url.error());
  auto filled = url->fill(arguments);
  if (!filled) return fail(filled.error());
  net::HttpRequest request;
  request.method = spec.method;
  request.url = *filled;
  request.total_timeout = tool.timeout;
  request.max_response_bytes = spec.max_response_bytes;
  for (const auto& [name, value] : spec.headers) {
    auto text = fill_environment(value, context.environment);
    if (!text) return fail(text.error());
    request.headers.emplace_back(name, *text);
  }
  request.headers.emplace_back("Idempotency-Key", context.idempotency_key);
  const Json rest = unused_arguments(arguments, url->arguments());
  const bool bodiless = spec.method == "GET" || spec.method == "HEAD" || spec.method == "DELETE";
  if (!spec.body.is_null()) {
    request.body = dump_json(fill_body(spec.body, arguments));
  } else if (bodiless) {
    append_query(request.url, rest);
  } else {
    request.body = dump_json(rest);
  }
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  return request;
}

std::optional<std::chrono::milliseconds> retry_after(const net::HttpHead& head) {
  std::string_view text;
  for (const auto& [name, value] : head.headers) {
    if (name == "retry-after" && text.empty()) text = value;
  }
  std::int64_t seconds = 0;
  auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || at == text.data() || seconds < 0 || seconds > 86'400) return std::nullopt;
  return std::chrono::seconds(seconds);
}

// The server said no, or broke.
ToolEnding refused(const ToolSpec& tool, const std::string& method, const Exchange& state) {
  const int status = state.head.status;
  std::string text = fmt::format("{} answered {}: {}", method, status, bounded_text(state.body, 2000));
  const bool busy = status == 408 || status == 425 || status == 429 || status == 503;
  if (tool.effect == Effect::kAtMostOnce) {
    // A refusal is an answer; a crash behind a 500 is not.
    return {status >= 500 && !busy ? Ending::kUnknown : Ending::kFailed, std::move(text)};
  }
  ToolEnding ending(busy || status >= 500 ? Ending::kRetry : Ending::kFailed, std::move(text));
  ending.retry_after = retry_after(state.head);
  return ending;
}

// The status is none or one of success, but the body did not arrive.
ToolEnding without_body(const ToolSpec& tool, const Exchange& state) {
  const net::HttpError& error = *state.error;
  if (error.failure == net::HttpFailure::kBadRequest) return {Ending::kFailed, error.message};
  if (error.failure == net::HttpFailure::kTooLarge && state.head.status != 0) {
    std::string text = fmt::format("the response is larger than {} bytes", tool.http.max_response_bytes);
    // It was answered, so what had to happen has happened.
    return {tool.effect == Effect::kPure ? Ending::kFailed : Ending::kDone, text};
  }
  if (tool.effect == Effect::kAtMostOnce) {
    return {Ending::kUnknown, fmt::format("no answer: {}", error.message)};
  }
  return {Ending::kRetry, error.message};
}

}  // namespace

ToolEnding run_http_tool(const ToolSpec& tool, const Json& arguments, const ToolContext& context,
                         net::HttpClient& http) {
  auto request = build_request(tool, arguments, context);
  if (!request) return {Ending::kFailed, request.error().message()};
  const std::string method = request->method;
  auto state = exchange(http, std::move(*request), context);
  std::lock_guard lock(state->mutex);
  // A status says more than how its body ended.
  const int status = state->head.status;
  const bool succeeded = status >= 200 && status < 300;
  if (status != 0 && !succeeded) return refused(tool, method, *state);
  if (state->error) return without_body(tool, *state);
  return {Ending::kDone, std::move(state->body)};
}

std::string bounded_text(std::string text, std::size_t limit) {
  if (text.size() > limit) {
    const std::string_view shown = cut_text(text, limit);
    text = fmt::format("{}... ({} bytes in all, {} shown)", shown, text.size(), shown.size());
  }
  return to_utf8(text);
}

}  // namespace holdfast::agent
