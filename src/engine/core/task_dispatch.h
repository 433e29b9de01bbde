#pragma once

// TaskDispatch: tasks meet polls. What waits is offered to its queue, what is over leaves it at once; what is
// handed out is started first, in the same transaction, and waits again when nobody got it. The core owns it;
// its thread only.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/core.h"
#include "engine/parked_calls.h"
#include "engine/run.h"
#include "matching/task_queues.h"

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
class HistoryWaiters;
class NewIds;
class Replies;
class RunCache;
class TaskResponses;
class TaskTokens;

// A poll, and who it is that polls.
struct Poller {
  Call call;
  std::string identity;
  std::string worker_instance_key;
  std::optional<double> tasks_per_second{};  // that its queue may give away; nothing: any number
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
  using Place = matching::Place;
  void workflow_task(Run& run, Place place = Place::kLast);
  void activity(Run& run, std::int64_t scheduled_event_id, Place place = Place::kLast);
  // A query that no workflow task takes along.
  void query(Run& run, const std::string& query_id, Place place = Place::kLast);

  // It waits in no queue until it is offered again.
  void withdraw_workflow_task(const Run& run);
  // Nobody needs to do these any more.
  void activity_ended(const Run& run, std::int64_t scheduled_event_id);
  void query_ended(const RunKey& run, const std::string& query_id);
  void closed(Run& run);

  // Its started workflow task reached nobody: the next poll gets it.
  void take_back_workflow_task(Run& run);

  // Gives the poll a task, or parks it; refused only if it would have to wait and there is no room.
  void poll(Poller poller, const stored::NamespaceRecord& record, const std::string& queue,
            matching::QueueType type);
  // Tasks that waited for the rate of their queue go to polls there, as far as one may go now: at most so
  // many of them; how many it were. Until when the next one waits; 0: none does.
  int give_due(int most);
  Ns next_due() const { return queues_.next_due(); }
  // A poll ran out of time, or its worker is shutting down.
  void empty_poll(Parked& parked);
  // Nobody will poll the sticky queue again: what waits there goes to everyone, when it is offered again.
  std::vector<matching::Task> leave_queue(const matching::QueueKey& sticky);

  // The workflow task of this run ended, however it did.
  void task_came_back(Run& run);
  // Those that left before they were durable (law 3's exception) and have not come back.
  std::size_t early_tasks_out() const { return early_out_ + early_activities_.size(); }
  // What goes out from now on belongs to the next batch: nobody waits any more for activities of this one,
  // which may take long.
  void batch_taken() { early_activities_.clear(); }

 private:
  static matching::RunRef ref(const RunKey& key);
  matching::Task task_of(const Run& run, matching::TaskKind kind) const;
  void add_task(const matching::QueueKey& queue, matching::Task task, Place place);
  // The first of the queue's tasks that is not stale, if one may go now.
  bool give_task(const matching::QueueKey& queue, Poller& poller);
  void serve(const matching::QueueKey& queue, CallId poll);
  void park(const matching::QueueKey& queue, Poller poller, Parked::Kind kind, Ns deadline, Place place);
  bool deliver(const matching::Task& task, const matching::QueueKey& queue, Poller& poller);
  bool deliver_workflow_task(Run& run, Poller& poller);
  bool deliver_query(Run& run, const std::string& query_id, const matching::QueueKey& queue, Call& call);
  bool deliver_activity(Run& run, const matching::Task& task, Poller& poller);

  std::size_t early_out_ = 0;
  std::set<std::pair<RunKey, std::int64_t>>
      early_activities_;  // by run and scheduled event, since the last batch

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
