#pragma once

// Socket: one connection of the HTTP server, with TLS or without: what Asio and Beast take for a stream. The
// timeouts are those of the TCP stream below, which closes when one is over. Internal to the room; io thread.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <memory>
#include <optional>
#include <utility>

#include <openssl/ssl.h>

namespace holdfast::net {

class Socket {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;

  // Without a context: in the clear.
  Socket(boost::asio::ip::tcp::socket socket, std::shared_ptr<SSL_CTX> context)
      : context_(std::move(context)), tcp_(std::move(socket)) {
    if (context_) tls_.emplace(tcp_, SSL_new(context_.get()));
  }

  executor_type get_executor() { return tcp_.get_executor(); }
  boost::asio::ip::tcp::socket& socket() { return tcp_.socket(); }
  bool is_tls() const { return tls_.has_value(); }

  void expires_after(std::chrono::milliseconds time) { tcp_.expires_after(time); }
  void expires_never() { tcp_.expires_never(); }
  void close() { tcp_.close(); }

  // Calls the handler at once in the clear.
  template <typename Handler>
  void shake_hands(Handler&& handler) {
    if (tls_)
      return tls_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Handler>(handler));
    handler(boost::system::error_code());
  }
  template <typename Buffers, typename Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return tls_->async_read_some(buffers, std::forward<Handler>(handler));
    tcp_.async_read_some(buffers, std::forward<Handler>(handler));
  }
  template <typename Buffers, typename Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return tls_->async_write_some(buffers, std::forward<Handler>(handler));
    tcp_.async_write_some(buffers, std::forward<Handler>(handler));
  }

 private:
  std::shared_ptr<SSL_CTX> context_;
  boost::beast::tcp_stream tcp_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
};

}  // namespace holdfast::net
