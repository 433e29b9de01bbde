#include "net/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>

#include "base/ascii.h"

namespace holdfast::net {

namespace {

namespace http = boost::beast::http;
using Head = http::request_header<>;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

std::optional<Problem> malformed(std::string detail) {
  return Problem(400, "malformed_request", std::move(detail));
}

// The target without scheme and authority; the authority, when it has one (RFC 9112, section 3.2.2).
struct Target {
  std::string_view path;
  std::optional<std::string_view> authority;
};

Target split_target(std::string_view target) {
  Target out{.path = target, .authority = std::nullopt};
  for (std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() || !boost::beast::iequals(target.substr(0, scheme.size()), scheme)) {
      continue;
    }
    const std::size_t end = std::min(target.find_first_of("/?#", scheme.size()), target.size());
    out.authority = target.substr(scheme.size(), end - scheme.size());
    out.path = end < target.size() ? target.substr(end) : "/";
  }
  out.path = out.path.substr(0, out.path.find_first_of("?#"));
  return out;
}

std::optional<Problem> check_form(const Head& head) {
  if (head.version() < 10 || head.version() > 11) {
    return Problem(505, "http_version", "only HTTP/1.0 and HTTP/1.1 are spoken here");
  }
  if (head.count(http::field::host) > 1 || (head.version() == 11 && head[http::field::host].empty())) {
    return malformed("an HTTP/1.1 request has exactly one Host header");
  }
  for (const char* name : {"Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Content-Type",
                           "Content-Length", "Transfer-Encoding"}) {
    if (head.count(name) > 1) return malformed(fmt::format("the header {} is there more than once", name));
  }
  if (view(head[http::field::content_length]).find_first_not_of("0123456789") != std::string_view::npos) {
    return malformed("Content-Length is one number");
  }
  if (const auto coding = head.find(http::field::transfer_encoding); coding != head.end()) {
    if (head.version() == 10 || head.count(http::field::content_length) > 0) {
      return malformed("Transfer-Encoding does not go with HTTP/1.0, nor with Content-Length");
    }
    if (!boost::beast::iequals(coding->value(), "chunked")) {
      return Problem(501, "unknown_transfer_coding",
                     fmt::format("the transfer coding '{}' is not spoken here", view(coding->value())))
          .hint("send the body with Content-Length, or as Transfer-Encoding: chunked");
    }
  }
  return std::nullopt;
}

// A name without its port, in lower case; none: it is no authority.
std::optional<std::string> host_of(std::string_view authority) {
  std::string_view rest;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    rest = authority.substr(end + 1);
    authority = authority.substr(1, end - 1);
  } else if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    rest = authority.substr(colon);
    authority = authority.substr(0, colon);
  }
  if (!rest.empty() &&
      (rest.front() != ':' || rest.find_first_not_of("0123456789", 1) != std::string_view::npos)) {
    return std::nullopt;
  }
  return ascii_lower(authority);
}

std::optional<Problem> check_host(std::string_view host, const Places& places) {
  if (is_loopback_authority(host)) return std::nullopt;
  const auto name = host_of(host);
  boost::system::error_code is_name;
  if (name && places.numbers) boost::asio::ip::make_address(*name, is_name);
  if (name && places.numbers && !is_name) return std::nullopt;
  for (const std::string& ours : places.hosts) {
    if (name && (ascii_lower(host) == ours || *name == ours)) return std::nullopt;
  }
  return Problem(421, "foreign_host", fmt::format("this server does not answer for host '{}'", host))
      .hint(places.hosts.empty() ? "use http://127.0.0.1 or http://localhost with the port"
                                 : "use the name of --public-url");
}

// "/runs/{id}" is any address of two parts that begins with "runs".
bool fits(std::string_view pattern, std::string_view path) {
  while (!pattern.empty() && !path.empty()) {
    const std::string_view want = pattern.substr(0, pattern.find('/', 1));
    const std::string_view got = path.substr(0, path.find('/', 1));
    if (want.starts_with("/{") ? got.size() < 2 : want != got) return false;
    pattern.remove_prefix(want.size());
    path.remove_prefix(got.size());
  }
  return pattern.empty() && path.empty();
}

bool is_visit(const Head& head, std::string_view path, std::span<const std::string> pages) {
  return (head.method() == http::verb::get || head.method() == http::verb::head) &&
         head["Sec-Fetch-Mode"] == "navigate" && head["Sec-Fetch-Dest"] == "document" &&
         std::any_of(pages.begin(), pages.end(), [&](const std::string& page) { return fits(page, path); });
}

}  // namespace

HeadBytes HeadScan::find(std::string_view bytes) {
  // Empty lines before the request are passed over (RFC 9112, section 2.2).
  while (line_ == first_ && bytes.substr(line_, 2) == "\r\n") first_ = line_ += 2;
  while (true) {
    if (line_ > first_ && line_ < bytes.size() && (bytes[line_] == ' ' || bytes[line_] == '\t')) {
      return {.end = 0, .wrong = "a header line is folded"};
    }
    const std::size_t end = bytes.find_first_of(std::string_view("\r\n\0", 3), std::max(line_, seen_));
    seen_ = std::min(end, bytes.size());
    if (end == std::string_view::npos) return {};
    if (bytes[end] == '\0') return {.end = 0, .wrong = "a header line holds a NUL"};
    if (bytes[end] == '\n') return {.end = 0, .wrong = "a line ends with LF instead of CRLF"};
    if (end + 1 == bytes.size()) return {};
    if (bytes[end + 1] != '\n') return {.end = 0, .wrong = "a header line holds a lone CR"};
    if (end == line_) return {.end = end + 2, .wrong = {}};
    line_ = end + 2;
  }
}

std::optional<Problem> guard(const Head& head, const Places& places) {
  if (auto problem = check_form(head)) return problem;
  const std::string_view host = view(head[http::field::host]);
  const Target target = split_target(view(head.target()));
  if (!host.empty()) {
    if (auto problem = check_host(host, places)) return problem;
  }
  if (target.authority) {
    if (auto problem = check_host(*target.authority, places)) return problem;
  }
  const std::string_view origin = view(head[http::field::origin]);
  if (head.count(http::field::origin) > 0 && origin != fmt::format("http://{}", host) &&
      origin != fmt::format("https://{}", host)) {
    return Problem(403, "foreign_origin", fmt::format("requests of pages from '{}' are refused", origin))
        .hint("only pages that this server serves itself may call it from a browser");
  }
  if (head.count("Sec-Fetch-Site") == 0) return std::nullopt;
  const std::string_view site = view(head["Sec-Fetch-Site"]);
  if (site == "same-origin" || site == "none" || is_visit(head, target.path, places.pages))
    return std::nullopt;
  return Problem(403, "foreign_origin",
                 fmt::format("requests of pages from another site ({}) are refused", site))
      .hint("only pages that this server serves itself may call it from a browser");
}

bool is_loopback_authority(std::string_view authority) {
  const auto name = host_of(authority);
  if (!name) return false;
  if (*name == "localhost" || name->ends_with(".localhost")) return true;
  boost::system::error_code bad;
  const auto ip = boost::asio::ip::make_address(*name, bad);
  return !bad && ip.is_loopback();
}

}  // namespace holdfast::net
