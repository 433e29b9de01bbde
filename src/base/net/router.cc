#include "net/router.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/url.h"
#include "net/problem.h"

namespace holdfast::net {

namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    if (path.front() == '/') path.remove_prefix(1);
    std::size_t end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

// The parameters, when the path fits the pattern. A parameter is never empty.
std::optional<std::vector<Header>> match(const std::vector<std::string>& pattern,
                                         const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  std::vector<Header> params;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string& want = pattern[i];
    if (want.size() > 2 && want.front() == '{') {
      std::optional<std::string> value = percent_decode(path[i], false);
      if (!value || value->empty()) return std::nullopt;
      params.push_back({want.substr(1, want.size() - 2), std::move(*value)});
    } else if (want != path[i]) {
      return std::nullopt;
    }
  }
  return params;
}

bool names(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool comes_again(const std::vector<Header>& list, const Header& first) {
  const auto same = [&](const Header& other) { return other.name == first.name; };
  return std::count_if(list.begin(), list.end(), same) > 1;
}

std::optional<Problem> wrong_parameter(const Request& request, const std::vector<std::string>& known,
                                       const std::vector<std::string>& repeatable) {
  if (names(known, "*")) return std::nullopt;
  for (const Header& entry : request.query) {
    if (!names(known, entry.name))
      return Problem(400, "unknown_parameter", fmt::format("'{}' is not a parameter here", entry.name))
          .hint(known.empty() ? "there are none"
                              : fmt::format("the parameters are: {}", fmt::join(known, ", ")));
    if (!names(repeatable, entry.name) && comes_again(request.query, entry))
      return Problem(400, "invalid_parameter", fmt::format("'{}' comes more than once", entry.name))
          .hint("say it once");
  }
  return std::nullopt;
}

// What a header means for the request as a whole cannot be said twice. A key that is empty is a variable that
// was not set: without it a repeat would be a second request. A packed body would be read as something else.
std::optional<Problem> wrong_header(const Request& request) {
  constexpr std::string_view kOnce[] = {"authorization", "content-type", "idempotency-key", "last-event-id"};
  for (const Header& entry : request.headers) {
    if (std::find(std::begin(kOnce), std::end(kOnce), entry.name) == std::end(kOnce)) continue;
    if (comes_again(request.headers, entry))
      return Problem(400, "invalid_header", fmt::format("the header {} comes more than once", entry.name))
          .hint("send it once");
    if (entry.name == "idempotency-key" && entry.value.empty())
      return Problem(400, "invalid_header", "the header Idempotency-Key is empty")
          .hint("send a key, or leave the header out");
  }
  const std::string coding = ascii_lower(request.header("content-encoding"));
  if (request.body.empty() || coding.empty() || coding == "identity") return std::nullopt;
  return Problem(415, "unsupported_media_type",
                 "a body is read as it is, and this one has a Content-Encoding")
      .hint("send it unpacked, without the header")
      .header("Accept-Encoding", "identity");
}

}  // namespace

void Router::add(std::string method, std::string pattern, Handler handler,
                 std::initializer_list<std::string_view> parameters) {
  auto segments = split(pattern);
  Route route{.served = {.method = std::move(method), .pattern = std::move(pattern), .parameters = {}},
              .repeatable = {},
              .segments = std::move(segments),
              .handler = std::move(handler)};
  for (std::string_view parameter : parameters) {
    const bool again = parameter.size() > 1 && parameter.ends_with('*');
    if (again) parameter.remove_suffix(1);
    if (again) route.repeatable.emplace_back(parameter);
    route.served.parameters.emplace_back(parameter);
  }
  routes_.push_back(std::move(route));
}

std::vector<Router::Served> Router::served() const {
  std::vector<Served> out;
  for (const Route& route : routes_) out.push_back(route.served);
  return out;
}

void Router::handle(Request request, Responder responder) const {
  std::vector<std::string> path = split(request.path);
  std::string_view method = request.method == "HEAD" ? std::string_view("GET") : request.method;
  std::string allowed;
  for (const Route& route : routes_) {
    auto params = match(route.segments, path);
    if (!params) continue;
    if (route.served.method == method) {
      auto wrong = wrong_parameter(request, route.served.parameters, route.repeatable);
      if (!wrong) wrong = wrong_header(request);
      if (wrong) return responder.reply(wrong->response());
      request.params = std::move(*params);
      route.handler(std::move(request), std::move(responder));
      return;
    }
    allowed +=
        (allowed.empty() ? "" : ", ") + route.served.method + (route.served.method == "GET" ? ", HEAD" : "");
  }
  if (allowed.empty()) {
    responder.reply(Problem(404, "not_found", "nothing is served at " + request.path)
                        .hint("the API is described at /api/v1/openapi.json")
                        .response());
  } else {
    responder.reply(Problem(405, "method_not_allowed", request.method + " is not served at " + request.path)
                        .hint("use " + allowed)
                        .header("Allow", allowed)
                        .response());
  }
}

}  // namespace holdfast::net
