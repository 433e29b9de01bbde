#pragma once

// UnixSocket: a server's place in the file system, for programs of this machine. The kernel says which user
// is at the other end, so nobody there has to show anything.
//
// kInvalidArgument: no path, too long a one, or something else is there. kUnavailable: a server listens
// there. What a server that was killed has left there is replaced.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::os {

// "unix:/run/holdfast.sock" -> its path; none: another kind of address.
std::optional<std::string> unix_path(std::string_view address);

class UnixSocket {
 public:
  // Who may connect: this user (0600), or every user of the machine (0666).
  enum class Access : std::uint8_t { kOwner, kEveryUser };

  static Result<UnixSocket> listen(const std::string& path, Access access);
  UnixSocket(UnixSocket&& other) noexcept;
  UnixSocket& operator=(UnixSocket&& other) noexcept;
  // The file goes, if it is still the one that was made.
  ~UnixSocket();

  const std::string& path() const { return path_; }
  // The descriptor, and with it the duty to close it.
  int release();

 private:
  UnixSocket(int fd, std::string path, dev_t device, ino_t inode)
      : fd_(fd), path_(std::move(path)), device_(device), inode_(inode) {}

  int fd_ = -1;
  std::string path_;  // empty: moved from
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// The user at the other end of a connection over such a socket, as he was when he connected.
std::optional<std::uint32_t> peer_user(int socket);

}  // namespace holdfast::os
