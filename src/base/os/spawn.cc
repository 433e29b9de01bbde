#include "os/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>

namespace holdfast::os {

namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// Copies beyond the numbers that are given away: none is put where another still is.
class Copies {
 public:
  explicit Copies(const std::vector<int>& files) {
    for (const int file : files) {
      copies_.push_back(::fcntl(file, F_DUPFD_CLOEXEC, static_cast<int>(files.size())));
      if (copies_.back() < 0) error_ = errno;
    }
  }
  ~Copies() {
    for (const int file : copies_) {
      if (file >= 0) ::close(file);
    }
  }
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;

  const std::vector<int>& files() const { return copies_; }
  int error() const { return error_; }  // 0: every file has its copy

 private:
  std::vector<int> copies_;
  int error_ = 0;
};

}  // namespace

int spawn(const Spawn& what, pid_t& pid) {
  const Copies copies(what.files);
  if (copies.error() != 0) return copies.error();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  int number = 0;
  for (const int file : copies.files()) posix_spawn_file_actions_adddup2(&files, file, number++);
  posix_spawn_file_actions_addclosefrom_np(&files, number);
  posix_spawn_file_actions_addchdir_np(&files, "/");
  posix_spawnattr_t how;
  posix_spawnattr_init(&how);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&how, &none);
  posix_spawnattr_setsigdefault(&how, &all);
  posix_spawnattr_setpgroup(&how, 0);
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error = posix_spawn(&pid, what.command.front().c_str(), &files, &how, pointers(what.command).data(),
                                pointers(what.environment).data());
  posix_spawnattr_destroy(&how);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace holdfast::os
