#pragma once

// TaskDispatch: tasks meet polls. What waits is offered to its queue; what is stale when it meets a poll is
// skipped; what is handed out is started first, in the same transaction. The core owns it; its thread only.

#include <string>

#include "engine/core.h"
#include "engine/run.h"
#include "matching/task_queues.h"

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
class HistoryWaiters;
class NewIds;
struct Parked;
class ParkedCalls;
class Replies;
class RunCache;
class TaskResponses;
class TaskTokens;

// A poll, and who it is that polls.
struct Poller {
  Call call;
  std::string identity;
  std::string worker_instance_key;
};

class TaskDispatch {
 public:
  TaskDispatch(const EngineLimits& limits, const CoreClock& clock, NewIds& ids, matching::TaskQueues& queues,
               ParkedCalls& parked, Replies& replies, RunCache& cache, const TaskTokens& tokens,
               const TaskResponses& responses, HistoryWaiters& history_waiters)
      : limits_(limits),
        clock_(clock),
        ids_(ids),
        queues_(queues),
        parked_(parked),
        replies_(replies),
        cache_(cache),
        tokens_(tokens),
        responses_(responses),
        history_waiters_(history_waiters) {}

  // Offers what is due: nothing when it is started, or gone.
  void workflow_task(Run& run);
  void activity(Run& run, std::int64_t scheduled_event_id);
  // A query that no workflow task takes along.
  void query(Run& run, const std::string& query_id);

  // Gives the poll a task, or parks it.
  void poll(Poller poller, const stored::NamespaceRecord& record, const std::string& queue,
            matching::QueueType type);
  // A poll ran out of time, or its worker is shutting down.
  void empty_poll(Parked& parked);
  // Nobody will poll the sticky queue again: what waits there goes to everyone.
  void leave_queue(const matching::QueueKey& sticky);

  // The workflow task of this run ended, however it did.
  void task_came_back(Run& run);
  // Those that left before they were durable (law 3's exception) and have not come back.
  std::size_t early_tasks_out() const { return early_out_; }

 private:
  void add_task(const matching::QueueKey& queue, matching::Task task);
  bool deliver(const matching::Task& task, const matching::QueueKey& queue, Poller& poller);
  bool deliver_workflow_task(Run& run, Poller& poller);
  bool deliver_query(Run& run, const std::string& query_id, const matching::QueueKey& queue, Call& call);
  bool deliver_activity(Run& run, const matching::Task& task, Poller& poller);

  std::size_t early_out_ = 0;

  const EngineLimits& limits_;
  const CoreClock& clock_;
  NewIds& ids_;
  matching::TaskQueues& queues_;
  ParkedCalls& parked_;
  Replies& replies_;
  RunCache& cache_;
  const TaskTokens& tokens_;
  const TaskResponses& responses_;
  HistoryWaiters& history_waiters_;
};

}  // namespace holdfast::engine
