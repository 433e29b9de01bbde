#pragma once

// Broker: evaluates what users wrote, in processes that hold nothing and reach nothing. A process belongs to
// the tenant for whom it first ran, until it ends; it never serves another. Idle ones are kept warm, the
// longest idle one goes when there are too many. One of Python runs one code and ends: its interpreter keeps
// what code did to it; the next one is made ahead. What goes wrong in a process is a failure in the reply,
// and the broker goes on: the process is ended, the next call gets another.
//
// Thread-safe; a call takes the calling thread. The destructor waits for nobody: no call may be under way.

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
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
#include "python/installation.h"
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
    std::string python = kPython;
    std::string python_packages = {};  // a folder that Python may import from; empty: none
    std::string monty = {};            // the program of Monty; empty: none
  };

  // FAILED_PRECONDITION: this machine has neither level; it says what each lacks. Draws on `memory`, which
  // outlives it.
  static Result<std::unique_ptr<Broker>> start(const Options& options, MemoryBudget& memory,
                                               const Clock& clock);
  ~Broker();

  // INVALID_ARGUMENT: the request asks for more than may be. FAILED_PRECONDITION: this machine has no Python,
  // or no Monty, and the request is some. RESOURCE_EXHAUSTED: no memory, or for `patience`
  // no process, is free. UNAVAILABLE: the sandbox does not start any more. What the code does is in the
  // reply.
  Result<Reply> run(std::string_view tenant, const Request& request,
                    std::chrono::milliseconds patience = std::chrono::seconds(10));

  int level() const { return level_; }
  // "level 2: seccomp, Landlock 6, limits (no bubblewrap: ...)"
  const std::string& description() const { return description_; }

 private:
  // Which first process makes it.
  enum class Language : std::uint8_t { kJavaScript, kPython, kMonty };
  static Language language_of(const Request& request);

  struct Inmate {
    std::shared_ptr<Cell> cell;  // in which it lives
    std::string tenant;
    Worker worker;
    Language language = Language::kJavaScript;
    bool is_new = false;  // made for the call that is under way
  };

  Broker(const Options& options, MemoryBudget& memory, const Clock& clock)
      : options_(options), memory_(memory), clock_(clock) {}
  Status open();
  Result<std::shared_ptr<Cell>> cell(Language language);
  Result<std::unique_ptr<Cell>> start_cell(Language language) const;
  Result<Inmate> take(std::string_view tenant, Language language, std::chrono::milliseconds patience);
  Result<Inmate> make(std::string_view tenant, Language language);
  void keep(Inmate inmate);
  Ended end(Inmate inmate);
  void forget(Inmate inmate);
  Result<Reply> ask(Worker& worker, const Request& request, HeldMemory& memory) const;
  void one_less();
  std::chrono::milliseconds longest(const Request& request) const;

  const Options options_;
  MemoryBudget& memory_;
  const Clock& clock_;
  int program_ = -1;  // a file
  int level_ = 0;
  std::string description_;

  std::mutex mutex_;
  std::condition_variable freed_;
  std::array<std::shared_ptr<Cell>, 3> cells_;  // by language: in which new processes are made
  std::list<Inmate> idle_;                      // the longest idle one first
  std::size_t count_ = 0;                       // processes, idle and busy
};

}  // namespace holdfast::sandbox
