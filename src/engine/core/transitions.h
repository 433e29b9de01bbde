#pragma once

// Transitions: the end of every change to an execution, and the changes that more than one part of the core
// makes. finish() does what a change asks for: the run goes into the next batch, a successor begins, waiters
// hear of it, tasks are offered, what it owes to others is put into the outbox. It never touches another
// execution than the run and its successor. The core owns it; its thread only.

#include <memory>
#include <string>

#include "api/messages.h"
#include "engine/run.h"

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
class HistoryWaiters;
class Offers;
class Outbox;
class Queries;
class RunCache;
class TaskDispatch;
class UpdateWaiters;

class Transitions {
 public:
  Transitions(const EngineLimits& limits, const CoreClock& clock, RunCache& cache, TaskDispatch& dispatch,
              Queries& queries, HistoryWaiters& history_waiters, UpdateWaiters& update_waiters,
              Offers& offers, Outbox& outbox)
      : limits_(limits),
        clock_(clock),
        cache_(cache),
        dispatch_(dispatch),
        queries_(queries),
        history_waiters_(history_waiters),
        update_waiters_(update_waiters),
        offers_(offers),
        outbox_(outbox) {}

  void finish(Run& run);
  // Ends the run, and the transition.
  void terminate(Run& run, const std::string& reason, pb::common::v1::Payloads* details,
                 const std::string& identity, const history::Links& links = {});
  // The started task failed, the next attempt is scheduled; the transition goes on.
  void fail_workflow_task(Run& run, enums::WorkflowTaskFailedCause cause, const std::string& message,
                          const pb::failure::v1::Failure* failure, const std::string& identity);

 private:
  void close(Run& run, std::shared_ptr<MutableState> successor);
  void check_buffered(Run& run);
  void check_history_limits(Run& run);

  const EngineLimits& limits_;
  const CoreClock& clock_;
  RunCache& cache_;
  TaskDispatch& dispatch_;
  Queries& queries_;
  HistoryWaiters& history_waiters_;
  UpdateWaiters& update_waiters_;
  Offers& offers_;
  Outbox& outbox_;
};

}  // namespace holdfast::engine
