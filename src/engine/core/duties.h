#pragma once

// Duties: what the core does of its own accord, between calls. Deadlines of executions and of calls that
// wait, answers to many who waited for the same, messages between executions, tasks of wide fan-outs and of
// queues with a rate, what a restart has to bring back, rows of the feed that have done their service.
// However much there is of it, it is done in slices: calls come in between, and one batch holds so much of
// it, so that no answer waits for more. The kinds take turns within a slice. The core owns it; its thread
// only.

#include <functional>

#include "engine/run.h"

namespace holdfast::engine {

class Batches;
class CoreClock;
class DueRuns;
class HistoryWaiters;
class Offers;
class Outbox;
class OutboxDelivery;
struct Parked;
class ParkedCalls;
class Recovery;
class RunCache;
class TaskDispatch;
class UpdateWaiters;
class WakeTimes;

class Duties {
 public:
  // `time_out` answers a call whose time is up; it is parked no longer.
  Duties(const CoreClock& clock, const WakeTimes& wakes, DueRuns& due_runs, ParkedCalls& parked,
         std::function<void(Parked&)> time_out, RunCache& cache, HistoryWaiters& history_waiters,
         UpdateWaiters& update_waiters, const Outbox& outbox, OutboxDelivery& delivery, Offers& offers,
         TaskDispatch& dispatch, Recovery& recovery, Batches& batches)
      : clock_(clock),
        wakes_(wakes),
        due_runs_(due_runs),
        parked_(parked),
        time_out_(std::move(time_out)),
        cache_(cache),
        history_waiters_(history_waiters),
        update_waiters_(update_waiters),
        outbox_(outbox),
        delivery_(delivery),
        offers_(offers),
        dispatch_(dispatch),
        recovery_(recovery),
        batches_(batches) {}

  // What a step of it costs is one for one transition of one execution, some tens of microseconds.
  static constexpr int kSlice = 32;
  static constexpr int kBatch = 64;
  static constexpr int kAfterCall = 16;

  // A slice, but nothing more when the batch is full.
  void slice();
  // What a call has caused, if it is little: it shares the batch of the call.
  void after_call();
  // Something is left to do that no deadline stands for.
  bool owes() const;
  bool batch_is_full() const { return done_ >= kBatch; }
  void batch_taken() { done_ = 0; }

 private:
  int due_runs(int most);
  int due_calls(int most);

  const CoreClock& clock_;
  const WakeTimes& wakes_;
  DueRuns& due_runs_;
  ParkedCalls& parked_;
  const std::function<void(Parked&)> time_out_;
  RunCache& cache_;
  HistoryWaiters& history_waiters_;
  UpdateWaiters& update_waiters_;
  const Outbox& outbox_;
  OutboxDelivery& delivery_;
  Offers& offers_;
  TaskDispatch& dispatch_;
  Recovery& recovery_;
  Batches& batches_;
  int done_ = 0;  // for the next batch
};

}  // namespace holdfast::engine
