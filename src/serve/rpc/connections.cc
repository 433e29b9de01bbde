#include "rpc/connections.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

namespace holdfast::rpc {
namespace {

constexpr std::uint64_t kListener = 0;
constexpr std::uint64_t kStop = 1;
constexpr std::uint64_t kFirstPeer = 2;
// Without descriptors to accept with there is no use in being told at once that somebody waits.
constexpr int kPauseMs = 100;
// A connection that received less has opened no call: the preface and settings are smaller than that.
constexpr std::uint64_t kNoCallBytes = 256;

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  int give_away() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

std::optional<std::pair<SocketAddress, socklen_t>> socket_address(const os::HostPort& address) {
  SocketAddress result{};
  if (::inet_pton(AF_INET, address.host.c_str(), &result.v4.sin_addr) == 1) {
    result.v4.sin_family = AF_INET;
    result.v4.sin_port = htons(address.port);
    return std::pair(result, static_cast<socklen_t>(sizeof result.v4));
  }
  if (::inet_pton(AF_INET6, address.host.c_str(), &result.v6.sin6_addr) == 1) {
    result.v6.sin6_family = AF_INET6;
    result.v6.sin6_port = htons(address.port);
    return std::pair(result, static_cast<socklen_t>(sizeof result.v6));
  }
  return std::nullopt;
}

// "ipv4:127.0.0.1:50000", "ipv6:%5B::1%5D:50000": what gRPC calls its peer.
std::string peer_name(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.any.sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &address.v4.sin_addr, text.data(), text.size());
    return fmt::format("ipv4:{}:{}", text.data(), ntohs(address.v4.sin_port));
  }
  ::inet_ntop(AF_INET6, &address.v6.sin6_addr, text.data(), text.size());
  return fmt::format("ipv6:%5B{}%5D:{}", text.data(), ntohs(address.v6.sin6_port));
}

}  // namespace

struct Connections::Impl {
  struct Peer {
    Fd fd;
    std::string name;
    double resets_left = 0;
    MonotonicTime counted{};
  };

  explicit Impl(const Clock& from) : clock(from) {}

  const Clock& clock;
  ConnectionLimits limits;
  std::uint16_t port = 0;
  Fd listener;
  Fd epoll;
  Fd stop_event;
  std::unique_ptr<Acceptor> acceptor;
  std::thread thread;

  mutable std::mutex mutex;
  std::map<std::uint64_t, Peer> peers;                 // guarded by mutex; by age
  std::unordered_map<std::string, std::uint64_t> ids;  // guarded by mutex; by name
  std::uint64_t next_id = kFirstPeer;

  Status open(const os::HostPort& address);
  void watch(int fd, std::uint64_t id, std::uint32_t events);
  void run();
  bool accept_one();
  bool make_room();
  void add(Fd connection, const SocketAddress& address);
  void forget(std::uint64_t id);
};

Status Connections::Impl::open(const os::HostPort& address) {
  const auto target = socket_address(address);
  if (!target) return {Code::kInvalidArgument, address.to_string() + " is no numeric address"};
  const auto unavailable = [&] {
    return Status(Code::kUnavailable, fmt::format("cannot listen on {}: {}; try again or choose another port",
                                                  address.to_string(), std::strerror(errno)));
  };
  listener = Fd(::socket(target->first.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (listener.get() < 0 || ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(listener.get(), &target->first.any, target->second) != 0 ||
      ::listen(listener.get(), SOMAXCONN) != 0) {
    return unavailable();
  }
  SocketAddress bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(listener.get(), &bound.any, &size) != 0) return unavailable();
  port = ntohs(bound.any.sa_family == AF_INET ? bound.v4.sin_port : bound.v6.sin6_port);
  epoll = Fd(::epoll_create1(EPOLL_CLOEXEC));
  stop_event = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (epoll.get() < 0 || stop_event.get() < 0) return unavailable();
  return {};
}

void Connections::Impl::watch(int fd, std::uint64_t id, std::uint32_t events) {
  epoll_event event{};
  event.events = events;  // an end is always told
  event.data.u64 = id;
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event);
}

void Connections::Impl::run() {
  watch(stop_event.get(), kStop, EPOLLIN);
  watch(listener.get(), kListener, EPOLLIN);
  bool paused = false;
  std::array<epoll_event, 64> events{};
  while (true) {
    const int ready = ::epoll_wait(epoll.get(), events.data(), events.size(), paused ? kPauseMs : -1);
    if (paused && ready <= 0) {
      watch(listener.get(), kListener, EPOLLIN);
      paused = false;
    }
    for (int i = 0; i < ready; ++i) {
      const std::uint64_t id = events[static_cast<std::size_t>(i)].data.u64;
      if (id == kStop) return;
      if (id != kListener) {
        forget(id);
      } else if (!accept_one()) {
        ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, listener.get(), nullptr);
        paused = true;
      }
    }
  }
}

// False: there is nothing to accept with.
bool Connections::Impl::accept_one() {
  SocketAddress address{};
  socklen_t size = sizeof address;
  Fd connection(::accept4(listener.get(), &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (connection.get() < 0) return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
  if (make_room()) add(std::move(connection), address);
  return true;
}

// The oldest of those that never sent a call makes room for one that may.
bool Connections::Impl::make_room() {
  const std::lock_guard lock(mutex);
  if (peers.size() < limits.most) return true;
  for (auto at = peers.begin(); at != peers.end(); ++at) {
    const Peer& peer = at->second;
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(peer.fd.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) continue;
    if (info.tcpi_bytes_received >= kNoCallBytes) continue;
    ::shutdown(peer.fd.get(), SHUT_RDWR);
    ids.erase(peer.name);
    peers.erase(at);
    return true;
  }
  return false;
}

void Connections::Impl::add(Fd connection, const SocketAddress& address) {
  const int on = 1;
  ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Peer peer;
  peer.fd = Fd(::fcntl(connection.get(), F_DUPFD_CLOEXEC, 0));
  if (peer.fd.get() < 0) return;
  peer.name = peer_name(address);
  peer.resets_left = limits.resets_at_once;
  peer.counted = clock.monotonic();
  {
    const std::lock_guard lock(mutex);
    const std::uint64_t id = next_id++;
    watch(peer.fd.get(), id, 0);
    ids[peer.name] = id;
    peers.emplace(id, std::move(peer));
  }
  Acceptor::NewConnectionParameters parameters;
  parameters.listener_fd = listener.get();
  parameters.fd = connection.give_away();
  acceptor->HandleNewConnection(&parameters);
}

void Connections::Impl::forget(std::uint64_t id) {
  const std::lock_guard lock(mutex);
  const auto found = peers.find(id);
  if (found == peers.end()) return;
  const auto named = ids.find(found->second.name);
  if (named != ids.end() && named->second == id) ids.erase(named);
  peers.erase(found);
}

Connections::Connections(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Connections::~Connections() {
  stop();
}

Result<std::unique_ptr<Connections>> Connections::listen(const os::HostPort& address, ConnectionLimits limits,
                                                         const Clock& clock) {
  auto impl = std::make_unique<Impl>(clock);
  impl->limits = limits;
  if (Status status = impl->open(address); !status.ok()) return fail(std::move(status));
  return std::unique_ptr<Connections>(new Connections(std::move(impl)));
}

std::uint16_t Connections::port() const {
  return impl_->port;
}

void Connections::start(std::unique_ptr<Acceptor> acceptor) {
  impl_->acceptor = std::move(acceptor);
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
  ::pthread_setname_np(impl_->thread.native_handle(), "hf-accept");
}

void Connections::on_reset(const std::string& peer_name) {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->ids.find(peer_name);
  if (found == impl_->ids.end()) return;
  Impl::Peer& peer = impl_->peers.at(found->second);
  const auto now = impl_->clock.monotonic();
  const double seconds = std::chrono::duration<double>(now - std::exchange(peer.counted, now)).count();
  peer.resets_left =
      std::min(impl_->limits.resets_at_once, peer.resets_left + seconds * impl_->limits.resets_per_second);
  if ((peer.resets_left -= 1) < 0) ::shutdown(peer.fd.get(), SHUT_RDWR);
}

void Connections::stop() {
  if (!impl_->thread.joinable()) return;
  const std::uint64_t one = 1;
  (void)!::write(impl_->stop_event.get(), &one, sizeof one);
  impl_->thread.join();
  impl_->listener = Fd();
}

std::size_t Connections::open() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->peers.size();
}

}  // namespace holdfast::rpc
