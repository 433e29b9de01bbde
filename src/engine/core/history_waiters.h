#pragma once

// HistoryWaiters: reads of a history that may wait for news (GetWorkflowExecutionHistory). Such a read is
// answered as soon as there is an event it has not seen, or the run is over, or its time is up. The core owns
// it; its thread only.

#include <deque>

#include "engine/run.h"

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
struct HistoryRead;
class HistoryReader;
struct Parked;
class ParkedCalls;
class Replies;
class RunCache;

class HistoryWaiters {
 public:
  HistoryWaiters(const EngineLimits& limits, const CoreClock& clock, ParkedCalls& parked, Replies& replies,
                 const HistoryReader& reader)
      : limits_(limits), clock_(clock), parked_(parked), replies_(replies), reader_(reader) {}

  // Answers, or parks the call when there is nothing yet and the caller waits.
  void answer(Call& call, Run& run, const HistoryRead& read);
  // Something happened to the run. A few who waited for it are answered at once, the others by
  // answer_woken().
  void notify(Run& run);
  bool has_woken() const { return !woken_.empty(); }
  // At most so many; how many it were.
  int answer_woken(int most, RunCache& cache);
  // Nothing happened in time: the caller may ask again from where it was.
  void timed_out(Parked& parked);
  // Of one answer, which may be asked to have fewer.
  std::int64_t page_events(std::int32_t wanted) const;

 private:
  static constexpr int kAtOnce = 16;

  std::deque<CallId> woken_;

  const EngineLimits& limits_;
  const CoreClock& clock_;
  ParkedCalls& parked_;
  Replies& replies_;
  const HistoryReader& reader_;
};

}  // namespace holdfast::engine
