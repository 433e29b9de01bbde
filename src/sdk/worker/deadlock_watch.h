#pragma once

// DeadlockWatch: sees that workflow code gives its thread back. While code has its turn, the timers' thread
// looks now and then; code that has had the same turn at two looks is interrupted (WorkflowRun::interrupt)
// and reported, once.
//
// No thread can be taken from code that never looks up: it is named, and keeps the thread.
//
// Owned by the WorkflowWorker, which watches one task at a time. Costs two uncontended locks a task, and a
// timer at most every `limit`.

#include <cstdint>
#include <functional>
#include <mutex>

#include "api/messages.h"
#include "holdfast/options.h"
#include "worker/courier.h"
#include "worker/workflow_run.h"

namespace holdfast::worker {

class DeadlockWatch {
 public:
  using Task = ws::PollWorkflowTaskQueueResponse;
  // On the timers' thread; the task has no history.
  using Report = std::function<void(const Task& task)>;

  // `limit` zero: nobody looks.
  DeadlockWatch(Courier& courier, Duration limit, Report report)
      : courier_(courier), limit_(limit), report_(std::move(report)) {}

  // The run has its turn while this lives.
  class Turn {
   public:
    Turn(DeadlockWatch& watch, const Task& task, WorkflowRun& run) : watch_(watch) {
      watch_.begin(task, run);
    }
    ~Turn() { watch_.end(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    // Its task has been answered.
    bool reported() const { return watch_.reported(); }

   private:
    DeadlockWatch& watch_;
  };

 private:
  struct Seen {
    std::uint64_t turn = 0;
    std::uint64_t activations = 0;
    bool operator==(const Seen&) const = default;
  };
  void begin(const Task& task, WorkflowRun& run);
  void end();
  bool reported();
  void look(Seen before);
  void look_later(Seen now);

  Courier& courier_;
  const Duration limit_;
  const Report report_;
  std::mutex mutex_;
  const Task* task_ = nullptr;  // guarded by mutex_; null: nobody has a turn
  WorkflowRun* run_ = nullptr;  // guarded by mutex_
  std::uint64_t turn_ = 0;      // guarded by mutex_
  bool reported_ = false;       // guarded by mutex_
  bool will_look_ = false;      // guarded by mutex_
};

}  // namespace holdfast::worker
