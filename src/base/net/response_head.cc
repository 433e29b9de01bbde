#include "net/response_head.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/problem.h"

namespace holdfast::net {

namespace {

constexpr std::string_view kSecurityHeaders =
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n";

// Unless the response says another one. The page's scripts and styles are files of ours: nothing inline,
// nothing from elsewhere.
struct Usual {
  std::string_view name;
  std::string_view value;
};
constexpr Usual kUsual[] = {
    {"Referrer-Policy", "no-referrer"},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
     "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"Cache-Control", "no-store"},
};

}  // namespace

std::string head_text(const Response& response, std::string_view framing, bool keep_alive) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  if (!response.content_type.empty()) head += fmt::format("Content-Type: {}\r\n", response.content_type);
  head += kSecurityHeaders;
  for (const Header& header : response.headers) {
    // A value that came from a request must not become a header of its own.
    if (header.value.find_first_of("\r\n") != std::string::npos) continue;
    head += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  for (const Usual& usual : kUsual) {
    const bool said = std::any_of(response.headers.begin(), response.headers.end(),
                                  [&](const Header& header) { return header.name == usual.name; });
    if (!said) head += fmt::format("{}: {}\r\n", usual.name, usual.value);
  }
  head += framing;
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

}  // namespace holdfast::net
