#pragma once

// The methods of queries: QueryWorkflow, and a worker's answer to one. Made and owned by the core; its thread
// only.

#include "api/messages.h"
#include "engine/core.h"
#include "engine/run.h"

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
class NewIds;
class ParkedCalls;
class Queries;
class Replies;
class TaskDispatch;
class TaskTokens;

class QueryHandlers {
 public:
  QueryHandlers(const EngineLimits& limits, const CoreClock& clock, NewIds& ids, ParkedCalls& parked,
                const TaskTokens& tokens, TaskDispatch& dispatch, Queries& queries, Replies& replies)
      : limits_(limits),
        clock_(clock),
        ids_(ids),
        parked_(parked),
        tokens_(tokens),
        dispatch_(dispatch),
        queries_(queries),
        replies_(replies) {}

  Status check(const ws::QueryWorkflowRequest& request);
  void query(Call& call, ws::QueryWorkflowRequest& request, const stored::NamespaceRecord&, Run& run);
  void completed(Call& call, ws::RespondQueryTaskCompletedRequest& request);

 private:
  const EngineLimits& limits_;
  const CoreClock& clock_;
  NewIds& ids_;
  ParkedCalls& parked_;
  const TaskTokens& tokens_;
  TaskDispatch& dispatch_;
  Queries& queries_;
  Replies& replies_;
};

}  // namespace holdfast::engine
