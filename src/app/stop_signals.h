#pragma once

// StopSignals: SIGTERM and SIGINT as something that a server waits for, and SIGHUP as something it hears
// meanwhile. Made before any other thread: signals are taken by the main thread alone, and every thread that
// starts later inherits the mask.

#include <csignal>
#include <functional>

namespace holdfast::app {

class StopSignals {
 public:
  StopSignals();

  // `hang_up` is called for each SIGHUP.
  void wait(const std::function<void()>& hang_up) const;
  // Somebody wants to stop while we are not waiting for it yet.
  static bool one_is_pending();
  // A second signal ends a shutdown that takes too long.
  void force_on_next() const;

 private:
  sigset_t set_;
};

}  // namespace holdfast::app
