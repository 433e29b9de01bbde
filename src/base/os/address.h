#pragma once

// HOST:PORT as users write it. Pure parsing, and one question to the kernel: may this address be listened on?

#include <cstdint>
#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::os {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;

  // "127.0.0.1:7233", "[::1]:7233"
  std::string to_string() const;
};

// kInvalidArgument with the text and what was expected. Without a port `default_port` is taken.
Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port);

// An address of this machine only; "localhost" counts.
bool is_loopback(const HostPort& address);

// Whether a server could listen there now: kUnavailable when the port is taken, kInvalidArgument when the
// address is not one of this machine, kPermissionDenied when the port is privileged. The answer may be stale
// at once; it is asked for its reason, since gRPC does not give one.
Status check_bindable(const HostPort& address);

}  // namespace holdfast::os
