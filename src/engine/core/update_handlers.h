#pragma once

// The methods of updates: UpdateWorkflowExecution, PollWorkflowExecutionUpdate, and update-with-start. Made
// and owned by the core; its thread only.

#include "api/messages.h"
#include "engine/core.h"
#include "engine/run.h"

namespace holdfast::engine {

struct EngineLimits;
class NewIds;
class Replies;
class RunCache;
class Starter;
class Transitions;
class UpdateWaiters;

class UpdateHandlers {
 public:
  UpdateHandlers(const EngineLimits& limits, NewIds& ids, RunCache& cache, Starter& starter,
                 UpdateWaiters& update_waiters, Transitions& transitions, Replies& replies)
      : limits_(limits),
        ids_(ids),
        cache_(cache),
        starter_(starter),
        update_waiters_(update_waiters),
        transitions_(transitions),
        replies_(replies) {}

  // An update without an id gets one.
  Status check(ws::UpdateWorkflowExecutionRequest& request);
  void update(Call& call, ws::UpdateWorkflowExecutionRequest& request, const stored::NamespaceRecord&,
              Run& run);
  Status check_poll(const ws::PollWorkflowExecutionUpdateRequest& request);
  void poll(Call& call, const ws::PollWorkflowExecutionUpdateRequest& request, const stored::NamespaceRecord&,
            Run& run);
  void multi_operation(Call& call, ws::ExecuteMultiOperationRequest& request,
                       const stored::NamespaceRecord& record);

 private:
  Status admit(Run& run, const ws::UpdateWorkflowExecutionRequest& request);
  // Sees to a workflow task that carries the update.
  void carry(Run& run);

  const EngineLimits& limits_;
  NewIds& ids_;
  RunCache& cache_;
  Starter& starter_;
  UpdateWaiters& update_waiters_;
  Transitions& transitions_;
  Replies& replies_;
};

}  // namespace holdfast::engine
