#pragma once

// Patience: how long a call waits for a server that is away, pause by pause, each longer than the one before.
// It ends by the clock and by the pauses together, so that it ends under a clock that stands still, too. Of
// one thread. Private to this room.

#include <algorithm>
#include <chrono>
#include <thread>

#include "holdfast/seams.h"

namespace holdfast::platform {

class Patience {
 public:
  Patience(const Clock& clock, std::chrono::milliseconds length)
      : clock_(clock), end_(clock.monotonic() + length), left_(length) {}

  // Waits for a moment. False, and at once, when there is none left.
  bool pause() {
    if (pause_ >= left_ || clock_.monotonic() + pause_ >= end_) return false;
    left_ -= pause_;
    std::this_thread::sleep_for(pause_);
    pause_ = std::min(pause_ * 2, kLongest);
    return true;
  }

 private:
  static constexpr std::chrono::milliseconds kLongest{500};

  const Clock& clock_;
  const MonotonicTime end_;
  std::chrono::milliseconds left_;
  std::chrono::milliseconds pause_{20};
};

}  // namespace holdfast::platform
