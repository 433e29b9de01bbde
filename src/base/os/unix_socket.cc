#include "os/unix_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace holdfast::os {

namespace {

constexpr std::string_view kScheme = "unix:";
constexpr int kBacklog = 128;

Status cannot(const std::string& path, std::string_view why) {
  return {Code::kInvalidArgument, fmt::format("cannot listen on {}{}: {}", kScheme, path, why)};
}

int make_socket(int flags = 0) {
  return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

// Nothing may be there but what a server has left that is gone.
Status make_room(const std::string& path, const sockaddr_un& address) {
  struct stat there{};
  if (::lstat(path.c_str(), &there) != 0) return {};
  if (!S_ISSOCK(there.st_mode))
    return cannot(path, "something that is no socket is there; choose another path");
  const int asking = make_socket(SOCK_NONBLOCK);  // one whose backlog is full would have it wait
  if (asking < 0) return cannot(path, std::strerror(errno));
  const bool is_served = ::connect(asking, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = errno;
  ::close(asking);
  if (is_served || error != ECONNREFUSED) {
    return {Code::kUnavailable,
            fmt::format("cannot listen on {}{}: another program does ({}); stop it or choose another path",
                        kScheme, path, is_served ? "it answers" : std::strerror(error))};
  }
  if (::unlink(path.c_str()) != 0) return cannot(path, std::strerror(errno));
  return {};
}

}  // namespace

std::optional<std::string> unix_path(std::string_view address) {
  if (!address.starts_with(kScheme)) return std::nullopt;
  return std::string(address.substr(kScheme.size()));
}

Result<UnixSocket> UnixSocket::listen(const std::string& path, Access access) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.find('\0') != std::string::npos || path.size() >= sizeof address.sun_path) {
    return fail(cannot(path, fmt::format("a socket's path has 1 to {} bytes, as in unix:/run/holdfast.sock",
                                         sizeof address.sun_path - 1)));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (Status taken = make_room(path, address); !taken.ok()) return fail(std::move(taken));
  const int fd = make_socket();
  if (fd < 0) return fail(cannot(path, std::strerror(errno)));
  // Before it has a name: nobody else connects in between, whatever the umask is.
  struct stat made{};
  const bool ok = ::fchmod(fd, 0600) == 0 &&
                  ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                  (access == Access::kOwner || ::chmod(path.c_str(), 0666) == 0) &&
                  ::listen(fd, kBacklog) == 0 && ::lstat(path.c_str(), &made) == 0;
  if (ok) return UnixSocket(fd, path, made.st_dev, made.st_ino);
  const int error = errno;
  ::close(fd);
  return fail(cannot(path, std::strerror(error)));
}

UnixSocket::UnixSocket(UnixSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

UnixSocket& UnixSocket::operator=(UnixSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

UnixSocket::~UnixSocket() {
  if (fd_ >= 0) ::close(fd_);
  struct stat there{};
  if (!path_.empty() && ::lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ &&
      there.st_ino == inode_)
    ::unlink(path_.c_str());
}

int UnixSocket::release() {
  return std::exchange(fd_, -1);
}

std::optional<std::uint32_t> peer_user(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer)
    return std::nullopt;
  return static_cast<std::uint32_t>(peer.uid);
}

}  // namespace holdfast::os
