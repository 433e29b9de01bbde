#pragma once

// Worker: the server's end of one process that runs what users wrote. One call at a time, by one thread. What
// it says is read as from an enemy: no more bytes than a reply may have, no longer than the deadline.

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/memory_budget.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "wire/message.h"

namespace holdfast::sandbox {

class Worker {
 public:
  Worker(pid_t pid, int socket) : pid_(pid), socket_(socket) {}
  ~Worker();
  Worker(Worker&& other) noexcept;
  Worker& operator=(Worker&& other) noexcept;

  pid_t pid() const { return pid_; }
  // False: it has ended, or says something without being asked.
  bool quiet() const;
  // DEADLINE_EXCEEDED, UNAVAILABLE (it ended) or DATA_LOSS (what it said is no reply): it is to be ended.
  Result<Reply> ask(const Request& request, MonotonicTime deadline, const Clock& clock);
  // The same of a process of Monty. `memory` grows by what an answer takes until it is read: also
  // RESOURCE_EXHAUSTED.
  Result<Reply> ask_monty(const Request& request, HeldMemory& memory, MonotonicTime deadline,
                          const Clock& clock);

 private:
  Status send_all(std::string_view bytes, MonotonicTime deadline, const Clock& clock);
  Result<std::string> receive(std::size_t size, MonotonicTime deadline, const Clock& clock);
  Status wait_for(short events, MonotonicTime deadline, const Clock& clock);

  pid_t pid_;
  int socket_;
};

}  // namespace holdfast::sandbox
