#pragma once

// Filters of system calls, as lists of what is allowed; anything else ends the process at once. They are
// built before the first one holds, because building one needs calls that none allows.

#include <linux/filter.h>

#include <optional>
#include <vector>

namespace holdfast::sandbox {

class Filter {
 public:
  // For the first process: what it and those that it makes need to do their work and to shut themselves in
  // further.
  static std::optional<Filter> of_first_process();
  // For those that run what users wrote: memory that is not executable, its one socket, processor time,
  // ending.
  static std::optional<Filter> of_worker();

  // From here on, in this process and what it forks. 0, or an error number. Needs PR_SET_NO_NEW_PRIVS.
  int enter() const;

 private:
  explicit Filter(std::vector<sock_filter> program) : program_(std::move(program)) {}
  std::vector<sock_filter> program_;
};

}  // namespace holdfast::sandbox
