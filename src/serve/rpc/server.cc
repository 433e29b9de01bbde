#include "rpc/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "os/address.h"
#include "os/unix_socket.h"
#include "rpc/peer.h"
#include "rpc/state.h"

namespace holdfast::rpc {

namespace asio = boost::asio;
using asio::ip::tcp;
using Protocol = asio::generic::stream_protocol;
using boost::system::error_code;

namespace {

constexpr std::uint16_t kDefaultPort = 7233;
// Without descriptors to accept with there is no use in being told at once that somebody waits.
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::chrono::milliseconds kDrainLook{10};

std::uint16_t port_of(const Protocol::endpoint& any) {
  tcp::endpoint out;
  out.resize(any.size());
  std::memcpy(out.data(), any.data(), any.size());
  return out.port();
}

}  // namespace

Result<os::HostPort> listen_address(const std::string& text, bool has_tls) {
  auto address = os::parse_host_port(text, kDefaultPort);
  if (!address) return address;
  if (!os::is_loopback(*address) && !has_tls) {
    return fail(
        Code::kPermissionDenied,
        fmt::format("refusing to listen on {}: others could listen to what is said there. Give it a "
                    "certificate (--tls-cert FILE --tls-key FILE); whoever calls then needs a key. Without: "
                    "127.0.0.1:{}",
                    address->to_string(), address->port));
  }
  if (address->host == "localhost") address->host = "127.0.0.1";
  if (Status status = os::check_bindable(*address); !status.ok()) return fail(std::move(status));
  return address;
}

struct Server::Impl {
  Impl(api::Connection& connection, const ServerOptions& options)
      : state(connection, options),
        acceptor(state.io),
        pause(state.io),
        drain(state.io),
        grace_timer(state.io) {}

  ServerState state;
  asio::basic_socket_acceptor<Protocol> acceptor;
  std::optional<os::UnixSocket> file;  // none: TCP
  asio::steady_timer pause;
  asio::steady_timer drain;
  asio::steady_timer grace_timer;
  bool grace_over = false;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{state.io.get_executor()};
  std::thread thread;
  std::uint16_t port = 0;
  std::string address;
  std::once_flag stopped;

  Status listen();
  Status listen_on(const os::HostPort& wanted);
  Status listen_in(const std::string& path);
  void accept();
  void add(Peer::Socket socket);
  bool make_room();
  void begin_stop(std::chrono::milliseconds grace);
  void drain_calls();
};

Status Server::Impl::listen() {
  if (const auto path = os::unix_path(state.options.address)) return listen_in(*path);
  auto wanted =
      listen_address(state.options.address, state.options.tls != nullptr && state.options.gate != nullptr);
  return wanted ? listen_on(*wanted) : wanted.error();
}

Status Server::Impl::listen_in(const std::string& path) {
  const ServerOptions& options = state.options;
  auto made = os::UnixSocket::listen(path, options.socket_for_every_user ? os::UnixSocket::Access::kEveryUser
                                                                         : os::UnixSocket::Access::kOwner);
  if (!made) return made.error();
  error_code error;
  acceptor.assign(Protocol(AF_UNIX, 0), made->release(), error);
  if (error)
    return {Code::kUnavailable, fmt::format("cannot listen on {}: {}", options.address, error.message())};
  file = *std::move(made);
  address = options.address;
  return {};
}

Status Server::Impl::listen_on(const os::HostPort& wanted) {
  error_code error;
  const tcp::endpoint endpoint(asio::ip::make_address(wanted.host, error), wanted.port);
  if (!error) acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return {Code::kUnavailable, fmt::format("cannot listen on {}: {}; try again or choose another port",
                                            wanted.to_string(), error.message())};
  }
  port = port_of(acceptor.local_endpoint());
  address = os::HostPort{wanted.host, port}.to_string();
  return {};
}

void Server::Impl::accept() {
  acceptor.async_accept([this](error_code error, Peer::Socket socket) {
    if (!acceptor.is_open()) return;
    if (!error) {
      add(std::move(socket));
      return accept();
    }
    pause.expires_after(kAcceptPause);
    pause.async_wait([this](error_code cancelled) {
      if (!cancelled && acceptor.is_open()) accept();
    });
  });
}

void Server::Impl::add(Peer::Socket socket) {
  if (state.peers.size() >= state.options.connections.most && !make_room()) return;
  auto peer = std::make_shared<Peer>(state, std::move(socket));
  state.peers.insert(peer);
  if (!peer->begin().ok()) peer->close();
}

// The oldest of those that never sent a call makes room for one that may.
bool Server::Impl::make_room() {
  std::shared_ptr<Peer> oldest;
  for (const auto& peer : state.peers) {
    if (peer->is_silent() && (!oldest || peer->number() < oldest->number())) oldest = peer;
  }
  if (oldest) oldest->close();
  return oldest != nullptr;
}

void Server::Impl::begin_stop(std::chrono::milliseconds grace) {
  error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  state.stopping = true;
  for (const auto& peer : state.peers) peer->session().shut_down();
  grace_timer.expires_after(grace);
  grace_timer.async_wait([this](error_code cancelled) { grace_over = !cancelled; });
  drain_calls();
}

// Until every call is answered; after the grace they are, whatever comes. Completions of cancelled calls may
// still be under way then: this thread is here for them.
void Server::Impl::drain_calls() {
  if (state.open_calls.load() == 0) {
    for (const auto& peer : std::vector(state.peers.begin(), state.peers.end())) peer->close();
    state.deadlines.stop();
    grace_timer.cancel();
    work.reset();
    return;
  }
  if (grace_over) {
    for (const auto& peer : std::vector(state.peers.begin(), state.peers.end())) peer->session().end_calls();
  }
  drain.expires_after(kDrainLook);
  drain.async_wait([this](error_code) { drain_calls(); });
}

Result<std::unique_ptr<Server>> Server::start(api::Connection& connection, const ServerOptions& options) {
  ServerOptions complete = options;
  if (os::unix_path(options.address))
    complete.tls = nullptr;  // what is said there leaves the machine on no way
  auto impl = std::make_unique<Impl>(connection, complete);
  if (Status taken = impl->listen(); !taken.ok()) return fail(std::move(taken));
  impl->accept();
  impl->thread = std::thread([state = &impl->state] {
    ::pthread_setname_np(::pthread_self(), "hf-rpc");
    state->io.run();
  });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  stop(std::chrono::milliseconds(0));
}

std::uint16_t Server::port() const {
  return impl_->port;
}

const std::string& Server::address() const {
  return impl_->address;
}

void Server::stop(std::chrono::milliseconds grace) {
  std::call_once(impl_->stopped, [&] {
    asio::post(impl_->state.io, [impl = impl_.get(), grace] { impl->begin_stop(grace); });
    impl_->thread.join();
  });
}

}  // namespace holdfast::rpc
