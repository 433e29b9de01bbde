#include "rest/api_client.h"

#include <fmt/format.h>

#include "base/json.h"
#include "net/fetch.h"

namespace holdfast::rest {

namespace {

constexpr std::chrono::milliseconds kRequestWithin{60'000};
constexpr std::chrono::milliseconds kTextWithin{600'000};  // it may be long

std::string member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

ApiError refusal(int status, std::string_view body) {
  ApiError error{.status = status, .problem = parse_json<Json>(body)};
  std::string said(body.substr(0, 1000));
  if (error.problem.is_object()) {
    said = fmt::format("{} {}", member(error.problem, "title"), member(error.problem, "detail"));
  }
  error.message = fmt::format("answered {}: {}", status, said);
  return error;
}

void ApiClient::set_address(std::string_view address) {
  base_url_ = address.find("://") == std::string_view::npos ? "http://" : "";
  base_url_ += address;
  while (base_url_.ends_with('/')) base_url_.pop_back();
}

ApiClient::Reply ApiClient::send(net::HttpRequest request) const {
  request.total_timeout = kRequestWithin;
  if (!key_.empty()) request.headers.emplace_back("Authorization", "Bearer " + key_);
  const std::string what = request.method + " " + request.url;
  auto response = net::fetch(http_, std::move(request));
  if (!response) return std::unexpected(ApiError{.message = response.error().message});
  Json body = parse_json<Json>(response->body);
  if (response->head.status / 100 == 2 && !body.is_discarded()) return body;
  ApiError error = refusal(response->head.status, response->body);
  error.message = what + " " + error.message;
  return std::unexpected(std::move(error));
}

ApiClient::Reply ApiClient::get(const std::string& path) const {
  net::HttpRequest request;
  request.url = base_url_ + path;
  return send(std::move(request));
}

std::expected<std::string, ApiError> ApiClient::get_text(const std::string& path, std::size_t at_most) const {
  net::HttpRequest request;
  request.url = base_url_ + path;
  request.total_timeout = kTextWithin;
  if (!key_.empty()) request.headers.emplace_back("Authorization", "Bearer " + key_);
  request.max_response_bytes = at_most;
  auto response = net::fetch(http_, std::move(request));
  if (!response) return std::unexpected(ApiError{.message = response.error().message});
  if (response->head.status / 100 == 2) return std::move(response->body);
  return std::unexpected(refusal(response->head.status, response->body));
}

ApiClient::Reply ApiClient::erase(const std::string& path) const {
  net::HttpRequest request;
  request.method = "DELETE";
  request.url = base_url_ + path;
  return send(std::move(request));
}

ApiClient::Reply ApiClient::post(const std::string& path, const Json& body,
                                 const std::string& idempotency_key) const {
  net::HttpRequest request;
  request.method = "POST";
  request.url = base_url_ + path;
  request.headers = {{"Content-Type", "application/json"}};
  if (!idempotency_key.empty()) request.headers.emplace_back("Idempotency-Key", idempotency_key);
  request.body = dump_json(body);
  return send(std::move(request));
}

ApiClient::Reply ApiClient::change(std::string method, const std::string& path, const Json& body,
                                   const std::string& etag) const {
  net::HttpRequest request;
  request.method = std::move(method);
  request.url = base_url_ + path;
  request.headers = {{"Content-Type", "application/json"}};
  if (etag.empty()) {
    request.headers.emplace_back("If-None-Match", "*");
  } else {
    request.headers.emplace_back("If-Match", etag);
  }
  request.body = dump_json(body);
  return send(std::move(request));
}

ApiClient::Reply ApiClient::post_text(const std::string& path, std::string content_type,
                                      std::string text) const {
  net::HttpRequest request;
  request.method = "POST";
  request.url = base_url_ + path;
  request.headers = {{"Content-Type", std::move(content_type)}};
  request.body = std::move(text);
  return send(std::move(request));
}

}  // namespace holdfast::rest
