#pragma once

// BackgroundWork: what the kinds of work beside the requests have in common: what they use, that they can be
// stopped, and doing something later. Whoever derives from it is owned by shared pointers and holds `mutex_`
// for what it keeps.

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

#include "runs/background.h"

namespace holdfast::runs {

class BackgroundWork : public std::enable_shared_from_this<BackgroundWork> {
 protected:
  explicit BackgroundWork(Background dependencies) : deps_(std::move(dependencies)) {}
  ~BackgroundWork() = default;

  template <typename Work>
  std::shared_ptr<Work> self(Work* work) {
    return {shared_from_this(), work};
  }

  // Runs the job on the executor after the pause, unless the work is stopped or gone by then.
  void later(std::chrono::milliseconds pause, std::move_only_function<void()> job);

  const Background deps_;
  mutable std::mutex mutex_;
  bool stopped_ = false;  // guarded by mutex_
};

}  // namespace holdfast::runs
