#pragma once

// A Holdfast server as a child process: spawned, awaited until it says where it listens, killed. Its log goes
// to a file. Not thread-safe, except for kill_now().

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::demo {

class ServerProcess {
 public:
  ServerProcess(const Clock& clock, std::string executable, std::vector<std::string> arguments,
                std::filesystem::path log);
  ~ServerProcess();  // SIGKILL when it still runs
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Returns when the server has printed its readiness line; the failure quotes the end of its log.
  Status start(std::chrono::seconds at_most);
  pid_t pid() const { return pid_.load(); }
  const std::string& http_address() const { return http_address_; }  // "127.0.0.1:PORT"

  // SIGKILL, from any thread. Does not wait.
  void kill_now();
  // Waits for the end of the process: the signal that ended it, 0 for a normal exit.
  int reap();
  // SIGTERM, then SIGKILL after a while.
  void stop();

 private:
  std::string log_tail() const;

  // Waits until the child has written to standard output, or closed it; false when the time is over.
  bool wait_for_output(MonotonicTime until);

  const Clock& clock_;
  std::string executable_;
  std::vector<std::string> arguments_;
  std::filesystem::path log_;
  std::atomic<pid_t> pid_ = 0;
  int output_ = -1;
  std::string http_address_;
};

}  // namespace holdfast::demo
