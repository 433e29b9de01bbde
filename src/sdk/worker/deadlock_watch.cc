#include "worker/deadlock_watch.h"

#include <optional>

namespace holdfast::worker {

void DeadlockWatch::begin(const Task& task, WorkflowRun& run) {
  if (limit_ <= Duration::zero()) return;
  std::lock_guard lock(mutex_);
  task_ = &task;
  run_ = &run;
  ++turn_;
  reported_ = false;
  if (!std::exchange(will_look_, true)) look_later({.turn = turn_, .activations = run.activations()});
}

void DeadlockWatch::end() {
  std::lock_guard lock(mutex_);
  task_ = nullptr;
  run_ = nullptr;
}

bool DeadlockWatch::reported() {
  std::lock_guard lock(mutex_);
  return reported_;
}

void DeadlockWatch::look_later(Seen now) {
  courier_.later(limit_, [this, now] { look(now); });
}

void DeadlockWatch::look(Seen before) {
  std::optional<Task> stuck;
  {
    std::lock_guard lock(mutex_);
    if (task_ == nullptr) {
      will_look_ = false;
      return;
    }
    const Seen now{.turn = turn_, .activations = run_->activations()};
    if (now == before && !reported_) {
      reported_ = true;
      run_->interrupt();
      stuck.emplace();
      stuck->set_task_token(task_->task_token());
      *stuck->mutable_workflow_execution() = task_->workflow_execution();
      *stuck->mutable_workflow_type() = task_->workflow_type();
      stuck->set_attempt(task_->attempt());
      if (task_->has_query()) *stuck->mutable_query() = task_->query();
    }
    look_later(now);
  }
  if (stuck) report_(*stuck);
}

}  // namespace holdfast::worker
