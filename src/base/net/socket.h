#pragma once

// Socket: one connection of the HTTP server, over TCP or in the file system, with TLS or without: what Asio
// and Beast take for a stream. The timeouts are those of the stream below, which closes when one is over.
// Internal to the room; io thread.

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <memory>
#include <optional>
#include <utility>

#include <openssl/ssl.h>

namespace holdfast::net {

class Socket {
 public:
  using Protocol = boost::asio::generic::stream_protocol;
  using Stream = boost::beast::basic_stream<Protocol>;
  using executor_type = Stream::executor_type;

  // Without a context: in the clear.
  Socket(Protocol::socket socket, std::shared_ptr<SSL_CTX> context)
      : context_(std::move(context)), stream_(std::move(socket)) {
    if (context_) tls_.emplace(stream_, SSL_new(context_.get()));
  }

  executor_type get_executor() { return stream_.get_executor(); }
  Protocol::socket& socket() { return stream_.socket(); }
  bool is_tls() const { return tls_.has_value(); }

  void expires_after(std::chrono::milliseconds time) { stream_.expires_after(time); }
  void expires_never() { stream_.expires_never(); }
  void close() { stream_.close(); }

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
    stream_.async_read_some(buffers, std::forward<Handler>(handler));
  }
  template <typename Buffers, typename Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return tls_->async_write_some(buffers, std::forward<Handler>(handler));
    stream_.async_write_some(buffers, std::forward<Handler>(handler));
  }

 private:
  std::shared_ptr<SSL_CTX> context_;
  Stream stream_;
  std::optional<boost::asio::ssl::stream<Stream&>> tls_;
};

}  // namespace holdfast::net
