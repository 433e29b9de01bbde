#include "net/router.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

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

std::optional<Problem> unknown_parameter(const Request& request, const std::vector<std::string>& known) {
  if (!known.empty() && known.front() == "*") return std::nullopt;
  for (const Header& entry : request.query) {
    if (std::find(known.begin(), known.end(), entry.name) != known.end()) continue;
    return Problem(400, "unknown_parameter", fmt::format("'{}' is not a parameter here", entry.name))
        .hint(known.empty() ? "there are none"
                            : fmt::format("the parameters are: {}", fmt::join(known, ", ")));
  }
  return std::nullopt;
}

}  // namespace

void Router::add(std::string method, std::string pattern, Handler handler,
                 std::initializer_list<std::string_view> parameters) {
  auto segments = split(pattern);
  routes_.push_back({{std::move(method), std::move(pattern), {parameters.begin(), parameters.end()}},
                     std::move(segments),
                     std::move(handler)});
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
      if (auto unknown = unknown_parameter(request, route.served.parameters)) {
        return responder.reply(unknown->response());
      }
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
