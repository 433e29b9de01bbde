#pragma once

// What the machine says about a process and about its disk.

#include <sys/types.h>

#include <string>
#include <vector>

namespace holdfast::bench {

// User and system time so far, in seconds. 0 when there is no such process.
double cpu_seconds(pid_t pid);
// Resident memory, in MB (10^6 bytes).
double resident_mb(pid_t pid);
// Milliseconds of `count` fdatasync calls, each after a 4 KiB append to a file in `directory`.
std::vector<double> sync_times(const std::string& directory, int count);

// A server that we started, and so may kill.
class Process {
 public:
  Process() = default;
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Runs argv with its output in `log`. Ends this program with a message when that is impossible.
  void start(const std::vector<std::string>& argv, const std::string& log);
  void kill();       // SIGKILL, and waits
  void terminate();  // SIGTERM, and waits
  pid_t pid() const { return pid_; }

 private:
  void end(int signal);
  pid_t pid_ = 0;
};

}  // namespace holdfast::bench
