#include "app/control_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

namespace holdfast::app {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kName = "control";
constexpr std::size_t kMaxAnswerBytes = 1 << 20;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Status from_errno(std::string_view what, const fs::path& data) {
  return {Code::kUnavailable,
          fmt::format("cannot {} the socket in {}: {}", what, data.string(), std::strerror(errno))};
}

// A socket's name has 107 bytes at most and a data directory's may have more: the folder is named by its
// descriptor.
sockaddr_un address_in(const Fd& folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto end = fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/{}",
                                    folder.get(), kName);
  *end.out = '\0';
  return address;
}

// A line without its end, until `over` says that it takes too long; nothing: there is none.
template <typename Over>
bool read_line(int fd, std::string& line, std::size_t most, Over over) {
  while (line.find('\n') == std::string::npos) {
    if (line.size() > most || over()) return false;
    pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, 100) <= 0) continue;
    char piece[4096];
    const ssize_t got = ::recv(fd, piece, sizeof piece, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    line.append(piece, static_cast<std::size_t>(got));
  }
  line.resize(line.find('\n'));
  return true;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool is_gone(int fd) {
  pollfd waiting{fd, POLLRDHUP, 0};
  return ::poll(&waiting, 1, 0) > 0 && (waiting.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool is_of_our_user(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == ::geteuid() || peer.uid == 0);
}

}  // namespace

struct ControlSocket::Impl {
  fs::path data;
  Handler handler;
  Fd listener;
  Fd wake;
  std::atomic<bool> stopping = false;
  std::thread thread;

  void loop();
  void answer(const Fd& client);
};

void ControlSocket::Impl::loop() {
  while (!stopping) {
    pollfd waiting[] = {{listener.get(), POLLIN, 0}, {wake.get(), POLLIN, 0}};
    if (::poll(waiting, 2, -1) <= 0 || (waiting[0].revents & POLLIN) == 0) continue;
    const Fd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client.ok() && is_of_our_user(client.get())) answer(client);
  }
}

void ControlSocket::Impl::answer(const Fd& client) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kQuestionMs);
  std::string question;
  if (!read_line(client.get(), question, kMaxQuestionBytes,
                 [&] { return stopping || std::chrono::steady_clock::now() > end; })) {
    return;
  }
  const std::string reply = handler(question, [&] { return stopping || is_gone(client.get()); });
  send_all(client.get(), reply + "\n");
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(const fs::path& data, Handler handler) {
  auto impl = std::make_unique<Impl>();
  impl->data = data;
  impl->handler = std::move(handler);
  const Fd folder(::open(data.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.ok()) return fail(from_errno("open", data));
  impl->listener = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!impl->listener.ok()) return fail(from_errno("make", data));
  // Of a server that was killed: the directory's lock says that it is gone.
  ::unlinkat(folder.get(), std::string(kName).c_str(), 0);
  const sockaddr_un address = address_in(folder);
  if (::bind(impl->listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail(from_errno("bind", data));
  if (::listen(impl->listener.get(), 8) != 0) return fail(from_errno("listen on", data));
  impl->wake = Fd(::eventfd(0, EFD_CLOEXEC));
  if (!impl->wake.ok()) return fail(from_errno("watch", data));
  impl->thread = std::thread([at = impl.get()] { at->loop(); });
  pthread_setname_np(impl->thread.native_handle(), "control");
  return std::unique_ptr<ControlSocket>(new ControlSocket(std::move(impl)));
}

ControlSocket::ControlSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ControlSocket::~ControlSocket() {
  impl_->stopping = true;
  ::eventfd_write(impl_->wake.get(), 1);
  impl_->thread.join();
  std::error_code ignored;
  fs::remove(impl_->data / kName, ignored);
}

Result<std::string> ask_server(const fs::path& data, const std::string& question) {
  const Fd folder(::open(data.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!folder.ok() || !socket.ok()) return fail(from_errno("open", data));
  const sockaddr_un address = address_in(folder);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail(
        Code::kUnavailable,
        fmt::format("the server that has {} open does not listen there ({}): it is starting, stopping, "
                    "of an earlier version, or of another user",
                    data.string(), std::strerror(errno)));
  }
  std::string answer;
  if (!send_all(socket.get(), question + "\n") ||
      !read_line(socket.get(), answer, kMaxAnswerBytes, [] { return false; })) {
    return fail(Code::kUnavailable, "the server went away before it was done");
  }
  return answer;
}

}  // namespace holdfast::app
