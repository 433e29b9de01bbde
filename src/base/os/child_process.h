#pragma once

// ChildProcess: a program that talks over its standard streams. No shell, an environment of what is given and
// nothing else, no file of this process but the three streams; in a process group of its own, which ends as a
// whole. Owner: whoever talks to it, one thread at a time. The destructor closes its input, gives it a moment
// to end by itself, and then kills the group.

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::os {

class ChildProcess {
 public:
  struct Options {
    std::vector<std::string> command;      // the program's absolute path and its arguments
    std::vector<std::string> environment;  // "NAME=value" each
    std::chrono::milliseconds grace{500};  // to end by itself once its input is closed
  };
  // NOT_FOUND, PERMISSION_DENIED or UNAVAILABLE say why there is none.
  static Result<std::unique_ptr<ChildProcess>> start(const Options& options);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Waits until something can be read or written, or the time is over; writes the beginning of `out` and
  // takes it away, appends to `in` what was said, at most kPieceBytes. False: it closed its output, so
  // nothing comes any more.
  bool turn(std::string_view& out, std::string& in, std::chrono::milliseconds at_most);

  // The last of what it wrote to its standard error.
  std::string_view last_words() const { return last_words_; }
  // "exited with code 3", "was ended by signal 9"; waits a moment for it. None: it runs.
  std::optional<std::string> ending();

  static constexpr std::size_t kPieceBytes = 64 * 1024;
  static constexpr std::size_t kLastWordsBytes = 2 * 1024;

 private:
  struct Pipes;
  ChildProcess(pid_t pid, std::chrono::milliseconds grace) : pid_(pid), grace_(grace) {}
  bool reap(std::chrono::milliseconds at_most);
  void hear_complaints();

  const pid_t pid_;
  const std::chrono::milliseconds grace_;
  int input_ = -1;   // of the program; ours to write
  int output_ = -1;  // ours to read
  int errors_ = -1;
  std::string last_words_;
  bool reaped_ = false;
  int wait_status_ = 0;
};

}  // namespace holdfast::os
