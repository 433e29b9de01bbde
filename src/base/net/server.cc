#include "net/server.h"

#include <fmt/format.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <cstring>
#include <optional>
#include <thread>

#include "net/problem.h"
#include "net/session.h"
#include "os/unix_socket.h"

namespace holdfast::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using Protocol = asio::generic::stream_protocol;

namespace {

std::uint16_t port_of(const Protocol::endpoint& any) {
  tcp::endpoint out;
  out.resize(any.size());
  std::memcpy(out.data(), any.data(), any.size());
  return out.port();
}

}  // namespace

struct Server::Impl {
  explicit Impl(const ServerOptions& opts, Handler handle)
      : shared(std::make_shared<SessionContext>()),
        acceptor(shared->io),
        retry(shared->io),
        drain(shared->io),
        grace_timer(shared->io) {
    shared->options = opts;
    shared->handler = std::move(handle);
  }

  // After the caller's stop() the io thread runs on until every session is gone, or the grace is over.
  std::shared_ptr<SessionContext> shared;
  asio::basic_socket_acceptor<Protocol> acceptor;
  std::optional<os::UnixSocket> file;  // none: TCP
  asio::steady_timer retry;
  asio::steady_timer drain;
  asio::steady_timer grace_timer;
  bool grace_over = false;
  std::string address;
  std::uint16_t port = 0;
  std::thread thread;
  std::set<std::shared_ptr<asio::steady_timer>> timers;  // of after(); io thread only
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;

  Status listen();
  Status listen_on(const LoopbackAddress& where);
  Status listen_in(const std::string& path);
  void accept();
  void drain_sessions();
};

void Server::Impl::accept() {
  acceptor.async_accept([this](boost::system::error_code error, Protocol::socket socket) {
    if (!acceptor.is_open()) return;
    if (error) {
      // Out of descriptors, most likely: wait for some to come back instead of spinning.
      retry.expires_after(std::chrono::milliseconds(100));
      retry.async_wait([this](boost::system::error_code waited) {
        if (!waited && acceptor.is_open()) accept();
      });
      return;
    }
    boost::system::error_code ignored;
    if (!file) socket.set_option(tcp::no_delay(true), ignored);
    start_session(shared, std::move(socket));
    accept();
  });
}

void Server::Impl::drain_sessions() {
  static constexpr std::chrono::milliseconds kLook{10};
  if (shared->sessions.empty() || grace_over) {
    for (const auto& session : shared->open_sessions()) session->close();
    for (const auto& timer : timers) timer->cancel();
    grace_timer.cancel();
    work.reset();
    return;
  }
  drain.expires_after(kLook);
  drain.async_wait([this](boost::system::error_code) { drain_sessions(); });
}

Status Server::Impl::listen() {
  const ServerOptions& options = shared->options;
  if (const auto path = os::unix_path(options.address)) return listen_in(*path);
  auto where = parse_address(options.address, options.tls != nullptr || !options.trusted_proxies.empty());
  return where ? listen_on(*where) : where.error();
}

Status Server::Impl::listen_on(const LoopbackAddress& where) {
  boost::system::error_code error;
  const tcp::endpoint endpoint(asio::ip::make_address(where.host, error), where.port);
  if (!error) acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use) {
    return {
        Code::kUnavailable,
        fmt::format(
            "cannot listen on {}:{}: the port is in use by another program; stop it or choose another port",
            where.host, where.port)};
  }
  if (error) {
    return {Code::kUnavailable,
            fmt::format("cannot listen on {}: {}", shared->options.address, error.message())};
  }
  port = port_of(acceptor.local_endpoint());
  shared->beyond_loopback = !endpoint.address().is_loopback();
  const bool v6 = endpoint.address().is_v6();
  address = fmt::format("{}{}{}:{}", v6 ? "[" : "", where.host, v6 ? "]" : "", port);
  return {};
}

// What is said there leaves the machine on no way: it needs no TLS, and no proxy stands before it.
Status Server::Impl::listen_in(const std::string& path) {
  ServerOptions& options = shared->options;
  auto made = os::UnixSocket::listen(path, options.socket_for_every_user ? os::UnixSocket::Access::kEveryUser
                                                                         : os::UnixSocket::Access::kOwner);
  if (!made) return made.error();
  boost::system::error_code error;
  acceptor.assign(Protocol(AF_UNIX, 0), made->release(), error);
  if (error)
    return {Code::kUnavailable, fmt::format("cannot listen on {}: {}", options.address, error.message())};
  file = *std::move(made);
  options.tls = nullptr;
  options.trusted_proxies.clear();
  address = options.address;
  return {};
}

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Handler handler) {
  auto impl = std::make_unique<Impl>(options, std::move(handler));
  if (Status listening = impl->listen(); !listening.ok()) return fail(std::move(listening));
  impl->work.emplace(impl->shared->io.get_executor());
  impl->accept();
  impl->thread = std::thread([shared = impl->shared] {
    pthread_setname_np(pthread_self(), "http");
    shared->io.run();
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

void Server::after(std::chrono::milliseconds delay, std::move_only_function<void()> job) {
  asio::post(impl_->shared->io, [impl = impl_.get(), delay, job = std::move(job)]() mutable {
    if (impl->shared->stopping) return;
    auto timer = std::make_shared<asio::steady_timer>(impl->shared->io, delay);
    impl->timers.insert(timer);
    timer->async_wait([impl, timer, job = std::move(job)](boost::system::error_code error) mutable {
      impl->timers.erase(timer);
      if (!error) job();
    });
  });
}

void Server::stop(std::chrono::milliseconds grace) {
  if (!impl_->thread.joinable()) return;
  asio::post(impl_->shared->io, [impl = impl_.get(), grace] {
    boost::system::error_code ignored;
    impl->acceptor.close(ignored);
    impl->retry.cancel();
    impl->shared->stopping = true;
    for (const auto& session : impl->shared->open_sessions()) session->finish();
    impl->grace_timer.expires_after(grace);
    impl->grace_timer.async_wait(
        [impl](boost::system::error_code cancelled) { impl->grace_over = !cancelled; });
    impl->drain_sessions();
  });
  impl_->thread.join();
}

Result<LoopbackAddress> parse_loopback(std::string_view text) {
  return parse_address(text, false);
}

Result<LoopbackAddress> parse_address(std::string_view text, bool protected_by_tls_or_proxy) {
  std::string_view host = text;
  std::string_view port_text;
  bool bracketed = !text.empty() && text.front() == '[';
  std::size_t colon = bracketed ? text.find("]:") : text.rfind(':');
  if (colon != std::string_view::npos) {
    host = bracketed ? text.substr(1, colon - 1) : text.substr(0, colon);
    port_text = text.substr(colon + (bracketed ? 2 : 1));
  }
  unsigned port = 0;
  auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (port_text.empty() || host.empty() || error != std::errc() ||
      end != port_text.data() + port_text.size() || port > 65535) {
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is not an address: write HOST:PORT, for example 127.0.0.1:8233", text));
  }
  LoopbackAddress address{.host = std::string(host), .port = static_cast<std::uint16_t>(port)};
  if (address.host == "localhost") address.host = "127.0.0.1";
  boost::system::error_code bad;
  asio::ip::address ip = asio::ip::make_address(address.host, bad);
  if (bad && protected_by_tls_or_proxy)
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is no address of this machine: write its number", host));
  if (bad || (!ip.is_loopback() && !protected_by_tls_or_proxy)) {
    return fail(
        Code::kPermissionDenied,
        fmt::format(
            "refusing to listen on '{}': others could listen to what is said there. Give it a certificate "
            "(--tls-cert FILE --tls-key FILE), or name the proxy in front of it that has one "
            "(--trusted-proxy ADDRESS); whoever calls then needs a credential. Without either: 127.0.0.1, "
            "[::1] or localhost (for another machine: an SSH tunnel)",
            host));
  }
  return address;
}

}  // namespace holdfast::net
