#pragma once

// Where a URL leads, in one spelling: whoever grants a host and whoever connects to it must read the same.
// Pure; any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/status.h"
#include "net/ip_address.h"

namespace holdfast::net {

// A host in its one spelling: a lower-case name without a trailing dot, 127.0.0.1, or [::1].
struct Host {
  std::string text;
  std::optional<IpAddress> address;  // when the host is one

  bool is_localhost() const;  // "localhost" and names below it
};

// Every spelling of an address becomes that address (2130706433, 0x7f.1, 0177.0.0.1, [::ffff:127.0.0.1]).
// INVALID_ARGUMENT: zones, characters other than ASCII's (an international name is written as xn--...), names
// whose last label is a number.
Result<Host> read_host(std::string_view text);

struct Origin {
  std::string scheme;  // "http" or "https"
  Host host;
  std::uint16_t port = 0;

  std::string place() const;  // "host:port"
  bool same_as(const Origin& other) const;
};

// A URL with its host in the one spelling, and where it leads.
struct ReadUrl {
  std::string url;
  Origin origin;
};
// INVALID_ARGUMENT says what is wrong, without the URL: it may hold secrets.
Result<ReadUrl> read_url(std::string_view url);
// The same for what a Location header says, seen from `base`.
Result<ReadUrl> read_url(const std::string& base, std::string_view reference);

}  // namespace holdfast::net
