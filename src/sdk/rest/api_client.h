#pragma once

// ApiClient: the HTTP API of a Holdfast server, as the command line and the demo call it. One request at a
// time, blocking; borrows the HttpClient and must not be used from one of its callbacks. Never retries.

#include <expected>
#include <nlohmann/json.hpp>
#include <string>

#include "net/http_client.h"

namespace holdfast::rest {

using Json = nlohmann::ordered_json;

// Why a request came to nothing: no response, or one that is no 2xx with a JSON body.
struct ApiError {
  int status = 0;                                 // of the response; 0: none came
  Json problem = Json(Json::value_t::discarded);  // its body, RFC 9457, when that is JSON
  std::string message = {};  // for people: the problem's title and detail, or what stopped the request
};

class ApiClient {
 public:
  using Reply = std::expected<Json, ApiError>;

  // `address`: HOST:PORT or a URL; without a scheme it is http.
  ApiClient(net::HttpClient& http, std::string_view address) : http_(http) { set_address(address); }
  void set_address(std::string_view address);
  // scheme://host:port, without a slash at the end.
  const std::string& base_url() const { return base_url_; }
  // Goes with each request; empty: none does.
  void set_key(std::string key) { key_ = std::move(key); }
  const std::string& key() const { return key_; }
  net::HttpClient& http() const { return http_; }

  // Paths begin with a slash.
  Reply get(const std::string& path) const;
  Reply post(const std::string& path, const Json& body, const std::string& idempotency_key = {}) const;
  // What is there, as it is; `at_most` bytes.
  std::expected<std::string, ApiError> get_text(const std::string& path, std::size_t at_most) const;
  // DELETE.
  Reply erase(const std::string& path) const;
  // PUT or POST of what may be changed only as it was seen: `etag` goes as If-Match; empty: it must not be
  // there yet.
  Reply change(std::string method, const std::string& path, const Json& body, const std::string& etag) const;
  // POSTs `text` as it is.
  Reply post_text(const std::string& path, std::string content_type, std::string text) const;

 private:
  Reply send(net::HttpRequest request) const;

  net::HttpClient& http_;
  std::string base_url_;
  std::string key_;
};

// What a response that is no success says, as ApiError does.
ApiError refusal(int status, std::string_view body);

}  // namespace holdfast::rest
