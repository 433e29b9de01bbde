#pragma once

// The methods about queues and the workers that poll them: what waits there, and who leaves. Made and owned
// by the core; its thread only.

#include "api/messages.h"
#include "engine/core.h"
#include "engine/run.h"

namespace holdfast::matching {
class TaskQueues;
}

namespace holdfast::engine {

class CoreClock;
class Offers;
class ParkedCalls;
class Replies;
class TaskDispatch;
class Transitions;

class TaskQueueHandlers {
 public:
  TaskQueueHandlers(const CoreClock& clock, matching::TaskQueues& queues, ParkedCalls& parked,
                    TaskDispatch& dispatch, Offers& offers, Transitions& transitions, Replies& replies)
      : clock_(clock),
        queues_(queues),
        parked_(parked),
        dispatch_(dispatch),
        offers_(offers),
        transitions_(transitions),
        replies_(replies) {}

  void reset_sticky(Call& call, const ws::ResetStickyTaskQueueRequest&, const stored::NamespaceRecord&,
                    Run& run);
  void shutdown_worker(Call& call, const ws::ShutdownWorkerRequest& request,
                       const stored::NamespaceRecord& record);
  void describe(Call& call, const ws::DescribeTaskQueueRequest& request,
                const stored::NamespaceRecord& record);

 private:
  const CoreClock& clock_;
  matching::TaskQueues& queues_;
  ParkedCalls& parked_;
  TaskDispatch& dispatch_;
  Offers& offers_;
  Transitions& transitions_;
  Replies& replies_;
};

}  // namespace holdfast::engine
