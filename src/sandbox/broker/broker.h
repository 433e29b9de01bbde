#pragma once

// Broker: evaluates what users wrote, in processes that hold nothing and reach nothing. A process belongs to
// the tenant for whom it first ran, until it ends; it never serves another. Idle ones are kept warm, the
// longest idle one goes when there are too many. What goes wrong in a process is a failure in the reply, and
// the broker goes on: the process is ended, the next call gets another.
//
// Thread-safe; a call takes the calling thread. The destructor waits for nobody: no call may be under way.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/memory_budget.h"
#include "broker/cell.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "wire/message.h"

namespace holdfast::sandbox {

class Broker {
 public:
  struct Options {
    std::size_t most_workers = 16;  // processes at one time
    std::optional<int> level = {};  // none: the first of 1 and 2 that this machine has
    std::string bubblewrap = kBubblewrap;
    // A process keeps its own time, that of the processor. One that does not, because it was stopped or taken
    // over, is ended after four times its limit and this: so long that a machine that is very busy ends no
    // other.
    std::chrono::milliseconds grace = std::chrono::seconds(30);
    std::string_view program = {};  // none: the one of program/; tests bring others
  };

  // FAILED_PRECONDITION: this machine has neither level; it says what each lacks. Draws on `memory`, which
  // outlives it.
  static Result<std::unique_ptr<Broker>> start(const Options& options, MemoryBudget& memory,
                                               const Clock& clock);

  // INVALID_ARGUMENT: the request asks for more than may be. RESOURCE_EXHAUSTED: no memory, or for `patience`
  // no process, is free. UNAVAILABLE: the sandbox does not start any more. What the code does is in the
  // reply.
  Result<Reply> run(std::string_view tenant, const Request& request,
                    std::chrono::milliseconds patience = std::chrono::seconds(10));

  int level() const { return level_; }
  // "level 2: seccomp, Landlock 6, limits (no bubblewrap: ...)"
  const std::string& description() const { return description_; }

 private:
  struct Inmate {
    std::shared_ptr<Cell> cell;  // in which it lives
    std::string tenant;
    Worker worker;
  };

  Broker(const Options& options, MemoryBudget& memory, const Clock& clock)
      : options_(options), memory_(memory), clock_(clock) {}
  Status open();
  Result<std::shared_ptr<Cell>> cell();
  Result<Inmate> take(std::string_view tenant, std::chrono::milliseconds patience);
  Result<Inmate> make(std::string_view tenant);
  void keep(Inmate inmate);
  std::string end(Inmate inmate);
  void one_less();
  std::chrono::milliseconds longest(const Request& request) const;

  const Options options_;
  MemoryBudget& memory_;
  const Clock& clock_;
  int level_ = 0;
  std::string description_;

  std::mutex mutex_;
  std::condition_variable freed_;
  std::shared_ptr<Cell> cell_;  // the one in which new processes are made
  std::list<Inmate> idle_;      // the longest idle one first
  std::size_t count_ = 0;       // processes, idle and busy
};

}  // namespace holdfast::sandbox
