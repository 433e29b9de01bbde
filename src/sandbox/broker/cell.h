#pragma once

// Cell: one sandbox, with the first process in it, at a level. Level 1 is bubblewrap: namespaces without
// network and processes of others, a root that holds nothing but the program, no environment. Level 2,
// without namespaces: the same program under Landlock, as nobody. Both under seccomp and limits, which the
// program itself puts on (jail/shut_in.h); a first process that could not is refused here. A cell runs
// JavaScript, or Python or Monty where it is given one; then the root holds what that needs of the machine,
// read-only, and for Python a /tmp.
//
// Thread-safe. The destructor ends everything in it.

#include <sys/types.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "broker/worker.h"
#include "holdfast/status.h"
#include "monty/installation.h"
#include "python/installation.h"

namespace holdfast::sandbox {

inline constexpr const char* kBubblewrap = "/usr/bin/bwrap";

// Workers that are made before anybody needs them: two, so that calls without a pause between them find one
// while the other is under way. The first process has one more.
inline constexpr std::size_t kSpares = 2;

// How a process ended.
struct Ended {
  std::string how;  // "made a system call that it may not make"
  int signal = 0;   // that ended it; 0: none
  int code = 0;     // with which it ended itself
};

// Whose code a cell runs: JavaScript's, unless one of these is given.
struct Runs {
  const PythonInstallation* python = nullptr;
  const MontyInstallation* monty = nullptr;
};

// An executable as a file that nobody can change any more, and that is nowhere on the disk; for as many cells
// as there are. -1: no memory. It is the caller's to close.
int sealed_program(std::string_view program);

class Cell {
 public:
  // `level` is 1 or 2. UNAVAILABLE says what the machine lacks. `program` is a file of `sealed_program`.
  static Result<std::unique_ptr<Cell>> start(int level, int program,
                                             const std::string& bubblewrap = kBubblewrap,
                                             const Runs& runs = {});
  ~Cell();
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  int level() const { return level_; }
  int landlock() const { return landlock_; }

  // A process in which nothing has run. UNAVAILABLE: the cell is of no use any more.
  Result<Worker> make_worker();
  // Ends it, unless it has ended itself.
  Ended end_worker(Worker worker);
  // The same without waiting for it.
  void forget_worker(Worker worker);
  // The same at the next `settle`, or before another is forgotten: it makes room for a call that would share
  // the processors with its end.
  void forget_worker_later(Worker worker);
  // Behind a call, when nobody waits: the next workers are asked for, and who is to be forgotten ends.
  void settle();

 private:
  Cell(int level, pid_t pid, int control, int errors)
      : level_(level), pid_(pid), control_(control), errors_(errors) {}
  Status hear_hello();
  bool has_ended() const;
  bool is_answered() const;
  void ask_for_one();
  void take_asked(std::size_t at_least);
  Result<Worker> hear_of_one();
  void end_without_waiting(const Worker& worker) const;
  void end_forgotten();
  std::string last_words();

  const int level_;
  const pid_t pid_;
  const int control_;
  const int errors_;
  int landlock_ = 0;
  std::mutex talk_;            // guards:
  std::size_t asked_ = 0;      // workers that were asked for, and whose answers nobody has heard yet
  std::deque<Worker> spares_;  // those answers, heard before they were needed
  std::optional<Worker> to_forget_;
};

}  // namespace holdfast::sandbox
