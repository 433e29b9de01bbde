#pragma once

// The methods about queues and the workers that poll them: what waits there, and who leaves. Made and owned
// by the core; its thread only.

#include <string>

#include "api/messages.h"
#include "engine/core.h"
#include "engine/run.h"
#include "matching/task_queues.h"

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
  Status check_poll_nexus(const ws::PollNexusTaskQueueRequest& request);
  // Every stock worker polls for Nexus tasks, asked to or not. There are none: it gets an empty answer when
  // its time is over.
  void poll_nexus(Call& call, const ws::PollNexusTaskQueueRequest& request,
                  const stored::NamespaceRecord& record);
  void describe(Call& call, const ws::DescribeTaskQueueRequest& request,
                const stored::NamespaceRecord& record);

 private:
  void add_pollers(const matching::QueueKey& key,
                   google::protobuf::RepeatedPtrField<pb::taskqueue::v1::PollerInfo>* out) const;
  // Of all priorities.
  matching::TaskQueues::Waits all_waits(const matching::QueueKey& key) const;
  void fill_stats(const matching::TaskQueues::Waits& waits, pb::taskqueue::v1::TaskQueueStats* out) const;
  void describe_types(const ws::DescribeTaskQueueRequest& request, const std::string& namespace_id,
                      ws::DescribeTaskQueueResponse* response) const;

  const CoreClock& clock_;
  matching::TaskQueues& queues_;
  ParkedCalls& parked_;
  TaskDispatch& dispatch_;
  Offers& offers_;
  Transitions& transitions_;
  Replies& replies_;
};

}  // namespace holdfast::engine
