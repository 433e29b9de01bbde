#pragma once

// For tests: an HTTP client that keeps what is sent last and answers as it is told.

#include <string>
#include <string_view>

#include "net/http_client.h"

namespace holdfast::agent {

class KeptRequest : public net::HttpClient {
 public:
  void start(net::HttpRequest sent, net::HttpHandler handler, std::stop_token) override {
    ++requests;
    request = std::move(sent);
    net::HttpHead head;
    head.status = status;
    if (handler.head) handler.head(head);
    if (handler.body) handler.body(body);
    handler.done({});
  }
  std::string header(std::string_view name) const {
    for (const auto& [one, value] : request.headers) {
      if (one == name) return value;
    }
    return "";
  }

  net::HttpRequest request;
  int requests = 0;
  int status = 200;
  std::string body = "ok";
};

}  // namespace holdfast::agent
