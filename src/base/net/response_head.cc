#include "net/response_head.h"

#include <fmt/format.h>

#include "net/problem.h"

namespace holdfast::net {

namespace {

// The page's scripts and styles are files of ours: nothing inline, nothing from elsewhere.
constexpr std::string_view kSecurityHeaders =
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
    "'none'\r\n";

}  // namespace

std::string head_text(const Response& response, std::string_view framing, bool keep_alive) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  if (!response.content_type.empty()) head += fmt::format("Content-Type: {}\r\n", response.content_type);
  head += kSecurityHeaders;
  bool cache = false;
  for (const Header& header : response.headers) {
    // A value that came from a request must not become a header of its own.
    if (header.value.find_first_of("\r\n") != std::string::npos) continue;
    cache = cache || header.name == "Cache-Control";
    head += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  if (!cache) head += "Cache-Control: no-store\r\n";
  head += framing;
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

}  // namespace holdfast::net
