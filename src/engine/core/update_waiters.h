#pragma once

// UpdateWaiters: callers that wait until an update has reached a stage, or for its outcome. An update is
// answered from the run's registry while it is under way, from its history once it is in there, and moves on
// with the chain when no worker has seen it. The core owns it; its thread only.

#include <map>
#include <string>

#include "api/messages.h"
#include "engine/run.h"

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
class HistoryReader;
struct Parked;
class ParkedCalls;
class Replies;
class RunCache;

class UpdateWaiters {
 public:
  UpdateWaiters(const EngineLimits& limits, const CoreClock& clock, ParkedCalls& parked, Replies& replies,
                const HistoryReader& reader)
      : limits_(limits), clock_(clock), parked_(parked), replies_(replies), reader_(reader) {}

  using Stage = enums::UpdateWorkflowExecutionLifecycleStage;

  // Answers, or parks the call.
  void wait(Call& call, Run& run, const std::string& update_id, Stage stage);
  // Something happened to the run. A few who wait are looked at at once, the others by answer_woken().
  void notify(Run& run);
  bool has_woken() const { return !woken_.empty(); }
  // Looks at so many at most; how many it were.
  int answer_woken(int most, RunCache& cache);
  // The call's time is up: it gets what there is.
  void timed_out(Parked& parked, Run& run) { answer(parked, run, true); }
  // Those whose update no worker has seen wait for the run that takes over.
  void follow(Run& run, Run& next);

 private:
  static constexpr int kAtOnce = 16;

  // True when the caller has its answer.
  bool answer(Parked& parked, Run& run, bool deadline);
  // Looks at `left` of them at most, from `next` on; both say afterwards how far it came. True: at all.
  bool look(Run& run, CallId& next, int& left);

  std::map<RunKey, CallId> woken_;  // the first of a run that nobody has looked at since something happened

  const EngineLimits& limits_;
  const CoreClock& clock_;
  ParkedCalls& parked_;
  Replies& replies_;
  const HistoryReader& reader_;
};

}  // namespace holdfast::engine
