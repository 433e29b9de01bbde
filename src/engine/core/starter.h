#pragma once

// Starter: what it takes to start an execution, for the three methods that can: the checks of the request,
// what its workflow id's last run means for it (request id, reuse and conflict policy), and the first
// transition. The core owns it; its thread only.

#include <functional>
#include <optional>
#include <string>

#include "api/messages.h"
#include "engine/run.h"
#include "history/lifecycle.h"

namespace holdfast::matching {
class TaskQueues;
}

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
class NewIds;
class RunCache;
class Transitions;
class WakeTimes;

class Starter {
 public:
  Starter(const EngineLimits& limits, const CoreClock& clock, NewIds& ids, RunCache& cache,
          const WakeTimes& wakes, const matching::TaskQueues& queues, Transitions& transitions)
      : limits_(limits),
        clock_(clock),
        ids_(ids),
        cache_(cache),
        wakes_(wakes),
        queues_(queues),
        transitions_(transitions) {}

  // Whether the start may have its search attributes. start() asks; so does who may not come to start.
  Status check_attributes(const stored::NamespaceRecord& record,
                          ws::StartWorkflowExecutionRequest* request) const;

  struct Outcome {
    Run* run = nullptr;  // that was started, or is used instead
    std::string run_id;
    std::string first_run_id;
    bool started = false;
    bool deduplicated = false;
    enums::WorkflowExecutionStatus status = enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
  };
  // Takes the request apart. `before_task` runs between the started event and the first workflow task. With
  // an eager request that task stays for the caller to hand out.
  Result<Outcome> start(const stored::NamespaceRecord& record, ws::StartWorkflowExecutionRequest* request,
                        const std::function<void(MutableState&)>& before_task = {});

 private:
  // Not when the executions that wait already take what they may.
  Status check_room() const;
  Status check(const ws::StartWorkflowExecutionRequest& request) const;
  history::lifecycle::StartInput input_of(const stored::NamespaceRecord& record,
                                          ws::StartWorkflowExecutionRequest* request);
  Result<std::optional<Outcome>> meet_existing(const stored::NamespaceRecord& record,
                                               const ws::StartWorkflowExecutionRequest& request,
                                               const stored::CurrentRun& row);

  const EngineLimits& limits_;
  const CoreClock& clock_;
  NewIds& ids_;
  RunCache& cache_;
  const WakeTimes& wakes_;
  const matching::TaskQueues& queues_;
  Transitions& transitions_;
};

}  // namespace holdfast::engine
