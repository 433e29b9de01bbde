#pragma once

// Telling: while somebody holds one, he is being told of a run of which nothing is kept, and what is stored
// of it stays (runs/unkept_runs.h). Any thread; the last one that lets go of it ends it.

#include <atomic>
#include <functional>
#include <memory>

namespace holdfast::runs {

class Telling {
 public:
  using Ended = std::move_only_function<void(bool told)>;

  explicit Telling(Ended ended) : ended_(std::move(ended)) {}
  ~Telling() { ended_(told_); }
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;

  // How the run ended has been said, and somebody was there to hear it.
  void told() { told_ = true; }

 private:
  Ended ended_;
  std::atomic<bool> told_ = false;
};

}  // namespace holdfast::runs
