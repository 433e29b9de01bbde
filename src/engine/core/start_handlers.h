#pragma once

// The methods that start an execution: StartWorkflowExecution, and SignalWithStart, whose signal is part of
// what the first workflow task sees. Made and owned by the core; its thread only.

#include "api/messages.h"
#include "engine/core.h"
#include "engine/run.h"

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
class NewIds;
class Replies;
class RunCache;
class Starter;
class TaskResponses;
class TaskTokens;
class Transitions;

class StartHandlers {
 public:
  StartHandlers(const EngineLimits& limits, const CoreClock& clock, NewIds& ids, RunCache& cache,
                const TaskTokens& tokens, const TaskResponses& responses, Transitions& transitions,
                Starter& starter, Replies& replies)
      : limits_(limits),
        clock_(clock),
        ids_(ids),
        cache_(cache),
        tokens_(tokens),
        responses_(responses),
        transitions_(transitions),
        starter_(starter),
        replies_(replies) {}

  void start(Call& call, ws::StartWorkflowExecutionRequest& request, const stored::NamespaceRecord& record);
  void signal_with_start(Call& call, ws::SignalWithStartWorkflowExecutionRequest& request,
                         const stored::NamespaceRecord& record);

 private:
  const EngineLimits& limits_;
  const CoreClock& clock_;
  NewIds& ids_;
  RunCache& cache_;
  const TaskTokens& tokens_;
  const TaskResponses& responses_;
  Transitions& transitions_;
  Starter& starter_;
  Replies& replies_;
};

}  // namespace holdfast::engine
