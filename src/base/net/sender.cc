#include "net/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <cstring>

#include "os/unix_socket.h"

namespace holdfast::net {

namespace {

namespace asio = boost::asio;
using Protocol = asio::generic::stream_protocol;

std::string address_of(const Protocol::endpoint& any) {
  asio::ip::tcp::endpoint tcp;
  tcp.resize(any.size());
  std::memcpy(tcp.data(), any.data(), any.size());
  const auto address = tcp.address();
  return address.is_v6() && address.to_v6().is_v4_mapped()
             ? asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string()
             : address.to_string();
}

}  // namespace

std::optional<Sender> Sender::of(Protocol::socket& socket, const ServerOptions& options, bool beyond_loopback,
                                 bool is_tls) {
  boost::system::error_code gone;
  const auto endpoint = socket.remote_endpoint(gone);
  if (gone) return std::nullopt;
  Sender out;
  if (endpoint.data()->sa_family == AF_UNIX) {
    out.user = os::peer_user(socket.native_handle());
    if (!out.user) return std::nullopt;
    out.address = fmt::format("user {}", *out.user);
    return out;
  }
  out.address = address_of(endpoint);
  out.is_proxy = std::ranges::find(options.trusted_proxies, out.address) != options.trusted_proxies.end();
  // Beyond loopback in the clear: the proxy that has taken TLS off, and nobody else.
  if (!is_tls && beyond_loopback && !out.is_proxy) return std::nullopt;
  return out;
}

// A proxy adds for whom it asks at the end; what stands before that, somebody else wrote.
std::string Sender::asks_for(const boost::beast::http::fields& headers) const {
  if (!is_proxy) return address;
  std::string_view last;
  for (auto [field, end] = headers.equal_range("X-Forwarded-For"); field != end; ++field)
    last = {field->value().data(), field->value().size()};
  last = last.substr(last.rfind(',') + 1);
  while (last.starts_with(' ')) last.remove_prefix(1);
  boost::system::error_code bad;
  const auto named = asio::ip::make_address(last, bad);
  return bad ? address : named.to_string();
}

}  // namespace holdfast::net
