#pragma once

// Filters of system calls, as lists of what is allowed; anything else ends the process at once. They are
// built before the first one holds, because building one needs calls that none allows.

#include <linux/filter.h>

#include <optional>
#include <span>
#include <vector>

namespace holdfast::sandbox {

// Why there is none.
inline constexpr const char* kNoFilter = "libseccomp builds no filter for this processor";

class Filter {
 public:
  // For the first process: what it and those that it makes need to do their work and to shut themselves in
  // further.
  static std::optional<Filter> of_first_process();
  // For those that run what users wrote: memory that is not executable, its one socket, processor time,
  // ending.
  static std::optional<Filter> of_worker();
  // The same two where the interpreter is Python, whose library asks for much of a kernel: what is not on the
  // list is refused, as an error that code can catch (seccomp_python.cc).
  static std::optional<Filter> of_first_python();
  static std::optional<Filter> of_python_worker();
  // And where it is Monty, a program of others that users' code cannot make call the kernel
  // (seccomp_monty.cc).
  static std::optional<Filter> of_first_monty();
  static std::optional<Filter> of_monty_worker();

  // From here on, in this process and what it forks. 0, or an error number. Needs PR_SET_NO_NEW_PRIVS.
  int enter() const;
  std::span<const sock_filter> program() const { return program_; }

 private:
  explicit Filter(std::vector<sock_filter> program) : program_(std::move(program)) {}
  std::vector<sock_filter> program_;
};

}  // namespace holdfast::sandbox
