#include "net/origin.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/ascii.h"

namespace holdfast::net {

namespace {

constexpr std::size_t kMaxHostBytes = 253;  // of DNS

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::unexpected<Status> unreadable(std::string_view why) {
  return fail(Code::kInvalidArgument, "the URL cannot be read: " + std::string(why));
}

// A part of it; none when it has none.
std::optional<std::string> part(const Url& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string out = text;
  curl_free(text);
  return out;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool is_numeric(std::string_view label) {
  const auto digits = [](std::string_view text, std::string_view allowed) {
    return text.find_first_not_of(allowed) == std::string_view::npos;
  };
  if (label.starts_with("0x")) return digits(label.substr(2), "0123456789abcdef");
  return digits(label, "0123456789");
}

std::unexpected<Status> no_host(std::string_view text, std::string_view why) {
  return fail(Code::kInvalidArgument,
              "the host `" + std::string(text.substr(0, 80)) + "` " + std::string(why));
}

Result<Host> read_bracketed(std::string_view text) {
  if (!text.ends_with(']')) return no_host(text, "has a bracket that is not closed");
  const auto address = parse_ip(text.substr(1, text.size() - 2));
  if (!address || text.find(':') == std::string_view::npos) {
    return no_host(text, "is no IPv6 address; one with a zone is not taken");
  }
  return Host{address->is_v4() ? address->text() : "[" + address->text() + "]", address};
}

Result<ReadUrl> read(Url url) {
  const auto scheme = part(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return unreadable("it must look like https://host/path");
  if (part(url, CURLUPART_ZONEID)) return unreadable("an address with a zone is not taken");
  const auto host = part(url, CURLUPART_HOST);
  const auto port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (!host || !port) return unreadable("it names no host");
  Result<Host> read = read_host(*host);
  if (!read) return fail(read.error());
  ReadUrl out;
  out.origin.scheme = *scheme;
  out.origin.host = std::move(*read);
  std::from_chars(port->data(), port->data() + port->size(), out.origin.port);
  if (out.origin.port == 0) return unreadable("its port is none");
  if (curl_url_set(url.get(), CURLUPART_HOST, out.origin.host.text.c_str(), 0) != CURLUE_OK)
    return unreadable("its host is none");
  const auto whole = part(url, CURLUPART_URL);
  if (!whole) return unreadable("it is not whole");
  out.url = *whole;
  return out;
}

}  // namespace

bool Host::is_localhost() const {
  return text == "localhost" || text.ends_with(".localhost");
}

Result<Host> read_host(std::string_view text) {
  if (text.starts_with('[')) return read_bracketed(text);
  std::string name = ascii_lower(text);
  if (name.ends_with('.')) name.pop_back();
  if (name.empty() || name.size() > kMaxHostBytes) return no_host(text, "is empty or too long");
  if (!std::all_of(name.begin(), name.end(), is_host_character)) {
    return no_host(text, "is no name in ASCII; an international one is written as xn--...");
  }
  if (name.front() == '.' || name.back() == '.' || name.find("..") != std::string::npos)
    return no_host(text, "has an empty label");
  if (const std::size_t dot = name.rfind('.'); is_numeric(std::string_view(name).substr(dot + 1))) {
    const auto address = parse_ipv4_loosely(name);
    if (!address) return no_host(text, "ends in a number and is no address");
    return Host{address->text(), address};
  }
  return Host{std::move(name), std::nullopt};
}

std::string Origin::place() const {
  return host.text + ":" + std::to_string(port);
}

bool Origin::same_as(const Origin& other) const {
  return scheme == other.scheme && host.text == other.host.text && port == other.port;
}

Result<ReadUrl> read_url(std::string_view url) {
  Url parsed(curl_url(), curl_url_cleanup);
  const std::string text(url);
  if (text.find('\0') != std::string::npos ||
      curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return unreadable("it must look like https://host/path");
  }
  return read(std::move(parsed));
}

Result<ReadUrl> read_url(const std::string& base, std::string_view reference) {
  Url parsed(curl_url(), curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, base.c_str(), 0) != CURLUE_OK ||
      curl_url_set(parsed.get(), CURLUPART_URL, std::string(reference).c_str(), 0) != CURLUE_OK) {
    return unreadable("the Location is none");
  }
  return read(std::move(parsed));
}

}  // namespace holdfast::net
