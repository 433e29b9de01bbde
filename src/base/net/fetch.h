#pragma once

// A whole response, waited for: one request on an HttpClient, whose bounds hold (time, size, redirects). Any
// thread but the client's own. Never retries.

#include <expected>
#include <stop_token>
#include <string>

#include "base/heartbeat.h"
#include "net/http_client.h"

namespace holdfast::net {

struct HttpResponse {
  HttpResponse() = default;
  HttpHead head;
  std::string body;
};

// What had arrived says more than how it ended: a status decides, even if its body broke off.
struct FetchError : HttpError {
  FetchError() = default;
  HttpResponse received;  // head.status 0: nothing
};

// Any status is a response. A stop request ends it with kCancelled.
std::expected<HttpResponse, FetchError> fetch(HttpClient& client, HttpRequest request,
                                              std::stop_token stop = {}, const Heartbeat& heartbeat = {});

}  // namespace holdfast::net
