#pragma once

// CutLine: a socket before a PostgreSQL server, for tests, which cuts a connection where it hurts: just
// before the server hears a COMMIT, or when it has answered one and nobody has heard the answer. Private to
// this room.

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "fixture/temporary_directory.h"

namespace holdfast::platform {

class CutLine {
 public:
  enum class Where { kNowhere, kBeforeCommit, kAfterCommit };

  // `server`: the folder of the real socket.
  explicit CutLine(std::filesystem::path server) : server_(std::move(server)) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(folder_.path());
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 8) != 0)
      throw std::runtime_error("no socket");
    thread_ = std::thread([this] { serve(); });
  }
  ~CutLine() {
    stopping_ = true;
    thread_.join();
    for (const Pair& pair : pairs_) close(pair);
    ::close(listener_);
  }

  std::string folder() const { return folder_.path().string(); }
  // The next COMMIT is cut.
  void cut(Where where) { where_ = where; }
  int cuts() const { return cuts_; }

 private:
  struct Pair {
    int client = -1;
    int server = -1;
    bool answering = false;  // the answer of a COMMIT is what comes next
  };
  static sockaddr_un address_of(const std::filesystem::path& folder) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = (folder / ".s.PGSQL.5432").string();
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    return address;
  }
  static void close(const Pair& pair) {
    ::close(pair.client);
    ::close(pair.server);
  }

  void serve() {
    while (!stopping_) {
      std::vector<pollfd> sockets = {{listener_, POLLIN, 0}};
      for (const Pair& pair : pairs_) {
        sockets.push_back({pair.client, POLLIN, 0});
        sockets.push_back({pair.server, POLLIN, 0});
      }
      ::poll(sockets.data(), sockets.size(), 20);
      for (std::size_t i = pairs_.size(); i-- > 0;) {
        const bool up = sockets[1 + 2 * i].revents == 0 || pass_up(pairs_[i]);
        const bool down = up && (sockets[2 + 2 * i].revents == 0 || pass_down(pairs_[i]));
        if (up && down) continue;
        close(pairs_[i]);
        pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
      }
      if (sockets[0].revents != 0) accept();
    }
  }
  void accept() {
    Pair pair;
    pair.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    pair.server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(server_);
    if (::connect(pair.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return close(pair);
    pairs_.push_back(pair);
  }
  // False: the pair is cut.
  bool pass_up(Pair& pair) {
    const std::string bytes = read(pair.client);
    if (bytes.find("COMMIT") != std::string::npos && where_ != Where::kNowhere) {
      if (where_ == Where::kBeforeCommit) return cut_now();
      pair.answering = true;
    }
    return !bytes.empty() && write(pair.server, bytes);
  }
  bool pass_down(Pair& pair) {
    const std::string bytes = read(pair.server);
    if (pair.answering) return cut_now();
    return !bytes.empty() && write(pair.client, bytes);
  }
  bool cut_now() {
    where_ = Where::kNowhere;
    ++cuts_;
    return false;
  }
  static std::string read(int socket) {
    std::string bytes(1 << 16, '\0');
    const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), 0);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }
  static bool write(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  const std::filesystem::path server_;
  fixture::TemporaryDirectory folder_;
  int listener_ = -1;
  std::vector<Pair> pairs_;  // the thread's, until it has ended
  std::atomic<Where> where_ = Where::kNowhere;
  std::atomic<int> cuts_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace holdfast::platform
