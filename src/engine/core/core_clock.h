#pragma once

// CoreClock: time as the core sees it. Read once for each call and tick, so that everything a step does
// happens at one moment, and never backwards, whatever the machine's clock does. The core owns it; its thread
// only.

#include "api/connection.h"
#include "history/stored.h"
#include "holdfast/seams.h"

namespace holdfast::engine {

class CoreClock {
 public:
  explicit CoreClock(const Clock& clock) : clock_(clock) {}

  void advance();
  history::Ns now() const { return now_; }
  // When a call that waits gets its answer: a little before its caller gives up, `fallback` from now at most.
  history::Ns deadline_of(const api::CallOptions& options, history::Ns fallback) const;

 private:
  const Clock& clock_;
  history::Ns now_ = 0;
};

}  // namespace holdfast::engine
