#include "rpc/peer.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "os/unix_socket.h"

namespace holdfast::rpc {

namespace asio = boost::asio;
using boost::system::error_code;

Peer::Peer(ServerState& state, Socket socket)
    : state_(state),
      number_(state.peers_ever++),
      socket_(std::move(socket)),
      write_timer_(state.io),
      read_timer_(state.io),
      held_(state.memory),
      session_(std::make_unique<Session>(state, *this)) {
  if (state.options.tls) tls_ = std::make_unique<tls::Channel>(state.options.tls->context());
}

Peer::~Peer() = default;

Status Peer::begin() {
  if (Status full = held_.resize(kConnectionBytes + (tls_ ? kTlsBytes : 0)); !full.ok()) return full;
  error_code error;
  if (os::unix_path(state_.options.address)) {
    const auto user = os::peer_user(socket_.native_handle());
    if (!user) return {Code::kUnavailable, "nobody is at the other end"};
    session_->show_user(*user);
  } else {
    socket_.set_option(asio::ip::tcp::no_delay(true), error);
  }
  socket_.non_blocking(true, error);
  if (error) return {Code::kUnavailable, error.message()};
  write();
  read();
  return {};
}

void Peer::close() {
  if (std::exchange(closed_, true)) return;
  const auto self = shared_from_this();
  write_timer_.cancel();
  read_timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
  state_.peers.erase(self);
  session_.reset();
}

void Peer::read() {
  // A client that asks and does not read is not heard until it does.
  if (closed_ || reading_ || (writing_ && session_->is_backed_up())) return;
  reading_ = true;
  session_->is_calm() ? wait_readable() : read_after_a_pause();
}

void Peer::read_after_a_pause() {
  read_timer_.expires_after(kWaryPause);
  read_timer_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled && !self->closed_) self->wait_readable();
  });
}

void Peer::wait_readable() {
  // Only waits: bytes that were on their way to a handler would be overtaken by what hear() reads.
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
    self->reading_ = false;
    if (self->closed_) return;
    if (error) return self->close();
    self->on_readable();
  });
}

void Peer::on_readable() {
  if (!receive_some()) {
    write();  // why, if it can be said
    return close();
  }
  write();
  read();
}

// What has come by now, though its turn has not.
void Peer::hear() {
  while (!closed_ && !session_->ended() && !session_->is_backed_up()) {
    const std::optional<std::size_t> got = receive_some();
    if (!got) {
      session_->lose();
      asio::post(state_.io, [self = shared_from_this()] { self->close(); });  // not here: a call of it asked
      return;
    }
    if (*got == 0) return;
    has_output();  // what was heard may let more go out
  }
}

// How much came, 0 when nothing has; none when the client has gone.
std::optional<std::size_t> Peer::receive_some() {
  std::array<char, kReadBytes> bytes;
  error_code error;
  const std::size_t most = session_->is_calm() ? kReadBytes : kWaryReadBytes;
  const std::size_t got = socket_.read_some(asio::buffer(bytes, most), error);
  if (error == asio::error::would_block || error == asio::error::try_again) return 0;
  if (error) return std::nullopt;
  if (!tls_) {
    session_->receive({bytes.data(), got});
    return got;
  }
  plain_.clear();
  const Status failed = tls_->receive({bytes.data(), got}, plain_);
  if (!plain_.empty()) {
    session_->show_certificate(tls_->peer_name());
    session_->receive(plain_);
  }
  has_output();  // of the handshake, or why there is none
  return failed.ok() ? std::optional(got) : std::nullopt;
}

// Once for all that the session has to say in this turn of the thread.
void Peer::has_output() {
  if (closed_ || writing_ || std::exchange(output_is_posted_, true)) return;
  asio::post(state_.io, [self = shared_from_this()] {
    self->output_is_posted_ = false;
    self->write();
  });
}

void Peer::write() {
  if (closed_ || writing_) return;
  for (int turn = 0; turn < kWritesAtOnce; ++turn) {
    take_output();
    if (out_.empty()) {
      if (session_->ended()) close();
      return;
    }
    error_code error;
    const std::size_t sent = socket_.write_some(asio::buffer(out_), error);
    if (error && error != asio::error::would_block && error != asio::error::try_again) return close();
    out_.erase(0, error ? 0 : sent);
    if (!out_.empty()) return write_later();
    session_->on_written();
  }
  has_output();  // the others' turn
}

void Peer::take_output() {
  if (!tls_) return session_->take(out_, kWriteBytes);
  plain_.clear();
  session_->take(plain_, kWriteBytes);
  tls_->send(plain_);
  tls_->take(out_);
}

// The client does not read as fast as it is written to.
void Peer::write_later() {
  writing_ = true;
  write_timer_.expires_after(state_.options.transfer_timeout);
  write_timer_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled) self->close();
  });
  asio::async_write(socket_, asio::buffer(out_),
                    [self = shared_from_this()](error_code error, std::size_t) { self->on_written(error); });
}

void Peer::on_written(error_code error) {
  writing_ = false;
  write_timer_.cancel();
  out_.clear();
  if (closed_) return;
  if (error) return close();
  session_->on_written();
  write();
  read();
}

}  // namespace holdfast::rpc
