#include "runs/background_work.h"

namespace holdfast::runs {

void BackgroundWork::later(std::chrono::milliseconds pause, std::move_only_function<void()> job) {
  deps_.after(pause, [weak = weak_from_this(), job = std::move(job)]() mutable {
    const auto work = weak.lock();
    if (!work) return;
    const std::lock_guard lock(work->mutex_);
    if (!work->stopped_) work->deps_.executor->post(std::move(job));
  });
}

}  // namespace holdfast::runs
