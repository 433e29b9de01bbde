#include "os/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace holdfast::os {
namespace {

std::unexpected<Status> bad_address(std::string_view text, std::string_view why) {
  return fail(Code::kInvalidArgument,
              fmt::format("address \"{}\": {}; expected HOST:PORT such as 127.0.0.1:7233", text, why));
}

// The socket address; `size` 0 when the host is no IP address.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress socket_address(const HostPort& address) {
  SocketAddress result;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  if (::inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    result.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    result.size = sizeof *v6;
  }
  return result;
}

}  // namespace

std::string HostPort::to_string() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  HostPort result;
  result.port = default_port;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return bad_address(text, "the bracket is not closed");
    result.host = text.substr(1, close - 1);
    std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return bad_address(text, "a port must follow the bracket");
    if (!rest.empty()) port = rest.substr(1);
    if (!rest.empty() && port.empty()) return bad_address(text, "the port is missing");
  } else {
    const std::size_t colon = text.find(':');
    if (colon != text.rfind(':')) return bad_address(text, "an IPv6 address needs brackets");
    result.host = text.substr(0, colon);
    if (colon != std::string_view::npos) {
      port = text.substr(colon + 1);
      if (port.empty()) return bad_address(text, "the port is missing");
    }
  }
  if (result.host.empty()) return bad_address(text, "the host is missing");
  if (result.host.find_first_of("/ \t@") != std::string::npos)
    return bad_address(text, "that is no host name");
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
    if (error != std::errc() || end != port.data() + port.size()) {
      return bad_address(text, "the port must be a number from 0 to 65535");
    }
  }
  return result;
}

bool is_loopback(const HostPort& address) {
  if (address.host == "localhost") return true;
  in_addr v4{};
  if (::inet_pton(AF_INET, address.host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, address.host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

Status check_bindable(const HostPort& address) {
  const SocketAddress target = socket_address(address);
  if (target.size == 0) {
    return {Code::kInvalidArgument,
            fmt::format("cannot listen on {}: the host must be an IP address", address.to_string())};
  }
  const int fd = ::socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {Code::kInternal, fmt::format("cannot create a socket: {}", std::strerror(errno))};
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int error = 0;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&target.storage), target.size) != 0 ||
      ::listen(fd, 1) != 0) {
    error = errno;
  }
  ::close(fd);
  switch (error) {
    case 0: return {};
    case EADDRINUSE:
      return {Code::kUnavailable,
              fmt::format("cannot listen on {}: the port is in use by another program; stop it or "
                          "choose another port",
                          address.to_string())};
    case EACCES:
      return {
          Code::kPermissionDenied,
          fmt::format("cannot listen on {}: no permission; choose a port above 1023", address.to_string())};
    case EADDRNOTAVAIL:
      return {
          Code::kInvalidArgument,
          fmt::format("cannot listen on {}: this machine does not have that address", address.to_string())};
    default:
      return {Code::kInternal,
              fmt::format("cannot listen on {}: {}", address.to_string(), std::strerror(error))};
  }
}

}  // namespace holdfast::os
