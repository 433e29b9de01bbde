#include "http/cookies.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::http {

namespace {

constexpr std::string_view kHostPrefix = "__Host-";

std::string name_of(const Request& request, std::string_view name) {
  return request.secure ? std::string(kHostPrefix) + std::string(name) : std::string(name);
}

}  // namespace

std::string_view cookie(const Request& request, std::string_view name) {
  std::string_view rest = request.header("cookie");
  const std::string wanted = name_of(request, name);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(wanted) && pair.substr(wanted.size()).starts_with('='))
      return pair.substr(wanted.size() + 1);
  }
  return {};
}

Header set_cookie(const Request& request, std::string_view name, std::string_view value,
                  std::string_view same_site, std::chrono::seconds lasts) {
  return {"Set-Cookie",
          fmt::format("{}={}; Path=/; HttpOnly; SameSite={}; Max-Age={}{}", name_of(request, name), value,
                      same_site, lasts.count(), request.secure ? "; Secure" : "")};
}

}  // namespace holdfast::http
