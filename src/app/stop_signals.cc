#include "app/stop_signals.h"

#include <unistd.h>

#include <thread>

#include "app/exit_code.h"

namespace holdfast::app {

StopSignals::StopSignals() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, SIGINT);
  sigaddset(&set_, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

void StopSignals::wait(const std::function<void()>& hang_up) const {
  int signal = 0;
  while (sigwait(&set_, &signal) != 0 || signal == SIGHUP) {
    if (signal == SIGHUP) hang_up();
  }
}

bool StopSignals::one_is_pending() {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

void StopSignals::force_on_next() const {
  std::thread([set = set_] {
    int signal = 0;
    while (sigwait(&set, &signal) != 0 || signal == SIGHUP) {
    }
    ::_exit(kExitInterrupted);
  }).detach();
}

}  // namespace holdfast::app
