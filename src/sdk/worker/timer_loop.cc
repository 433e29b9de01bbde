#include "worker/timer_loop.h"

namespace holdfast::worker {

TimerLoop::TimerLoop(const Clock& clock, std::unique_ptr<Executor> executor)
    : clock_(clock), executor_(std::move(executor)) {
  executor_->post([this] { run(); });
}

TimerLoop::~TimerLoop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  executor_.reset();
}

// Within the lock: whoever learns from the callback that it has run may destroy this loop at once.
void TimerLoop::at(MonotonicTime when, Callback callback) {
  std::lock_guard lock(mutex_);
  due_.emplace(when, std::move(callback));
  wake_.notify_one();
}

void TimerLoop::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (due_.empty()) {
      wake_.wait(lock);
      continue;
    }
    const auto wait = due_.begin()->first - clock_.monotonic();
    if (wait > std::chrono::nanoseconds::zero()) {
      wake_.wait_for(lock, wait);
      continue;
    }
    Callback callback = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    lock.unlock();
    callback();
    callback = nullptr;
    lock.lock();
  }
}

}  // namespace holdfast::worker
