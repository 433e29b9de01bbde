#pragma once

// The methods about one execution from outside: signal, cancel, terminate, describe. Made and owned by the
// core; its thread only.

#include "api/messages.h"
#include "engine/core.h"
#include "engine/run.h"

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
class Replies;
class Transitions;

class ExecutionHandlers {
 public:
  ExecutionHandlers(const EngineLimits& limits, const CoreClock& clock, Transitions& transitions,
                    Replies& replies)
      : limits_(limits), clock_(clock), transitions_(transitions), replies_(replies) {}

  Status check_signal(const ws::SignalWorkflowExecutionRequest& request);
  Status check_cancel(const ws::RequestCancelWorkflowExecutionRequest& request);
  Status check_terminate(const ws::TerminateWorkflowExecutionRequest& request);
  void signal(Call& call, const ws::SignalWorkflowExecutionRequest& request, const stored::NamespaceRecord&,
              Run& run);
  void request_cancel(Call& call, const ws::RequestCancelWorkflowExecutionRequest& request,
                      const stored::NamespaceRecord&, Run& run);
  void terminate(Call& call, ws::TerminateWorkflowExecutionRequest& request, const stored::NamespaceRecord&,
                 Run& run);
  void describe(Call& call, const ws::DescribeWorkflowExecutionRequest&, const stored::NamespaceRecord&,
                Run& run);

 private:
  const EngineLimits& limits_;
  const CoreClock& clock_;
  Transitions& transitions_;
  Replies& replies_;
};

}  // namespace holdfast::engine
