#pragma once

// Pairs tasks with the polls that wait for them. Pure and single-threaded: no clock, no messages, no idea of
// what a task is; the engine core owns it. A task lives here only as a reference to an execution's state
// (task queues have no rows of their own), so everything in it can be rebuilt from the recovery index.
//
// A task has a name: its run, its kind, and which of these it is. It waits in one queue at a time, and who
// knows that it is over takes it out by its name, or with all others of its run: no poll looks through what
// is dead. Tasks go by their priority, those of one in their order, and no faster than the queue's rate, if
// its workers have set one: then tasks and polls may wait side by side. A queue that holds nothing is kept
// for a while, for who polled it, as long as all such queues together are small.

#include <compare>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/packed_texts.h"
#include "matching/rate.h"

namespace holdfast::matching {

// Nobody adds Nexus tasks yet; workers poll for them all the same.
enum class QueueType : std::uint8_t { kWorkflow, kActivity, kNexus };

struct QueueKey {
  std::string namespace_id;
  std::string name;
  QueueType type = QueueType::kWorkflow;
  auto operator<=>(const QueueKey&) const = default;
};

enum class TaskKind : std::uint8_t { kWorkflow, kActivity, kQuery };

struct Task {
  std::string namespace_id;
  std::string workflow_id;
  std::string run_id;
  TaskKind kind = TaskKind::kWorkflow;
  // Workflow tasks: the stamp of the task, of which a run has one at most; activities: the scheduled event.
  std::int64_t id = 0;
  std::int32_t attempt = 0;
  std::string query_id;       // of a query
  bool sticky = false;        // waits on the queue of one worker, and may leave it
  std::uint8_t priority = 0;  // the lowest goes first
  std::int64_t added_ns = 0;  // now, when it is added
};

// The run that tasks belong to.
struct RunRef {
  std::string_view namespace_id;
  std::string_view workflow_id;
  std::string_view run_id;
};

// Where in its queue a task begins to wait: first is for what was there before and came back.
enum class Place : std::uint8_t { kLast, kFirst };

using PollId = std::uint64_t;

struct Poll {
  PollId id = 0;
  std::string worker_instance_key;
};

struct PollerSeen {
  std::string identity;
  std::int64_t last_access_ns = 0;
};

struct TaskQueueLimits {
  std::size_t pollers_remembered = 64;       // of a queue
  std::size_t pollers_bytes = 4u << 20;      // of all queues; then each remembers the newest only
  std::size_t idle_queues_bytes = 4u << 20;  // of queues that hold neither task nor poll
};

class TaskQueues {
 public:
  explicit TaskQueues(TaskQueueLimits limits = {}) : limits_(limits) {}
  TaskQueues(const TaskQueues&) = delete;
  TaskQueues& operator=(const TaskQueues&) = delete;

  // The task waits, and no longer where it did. A poll that waited here too is given back, if a task may go
  // now: it is for this queue's first task, next_task().
  std::optional<PollId> add_task(const QueueKey& queue, Task task, Place place = Place::kLast);
  // The first task, which no longer waits. Whoever hands tasks out looks whether one may go, and says when
  // one went.
  std::optional<Task> next_task(const QueueKey& queue);

  // How many tasks of the queue may go in a second, 0 for none; nothing: as many as there are.
  void set_rate(const QueueKey& queue, std::optional<double> per_second, std::int64_t now_ns);
  std::optional<double> rate(const QueueKey& queue) const;
  bool may_go(const QueueKey& queue, std::int64_t now_ns) const;
  void went(const QueueKey& queue, std::int64_t now_ns);
  // Of the queues where tasks and polls wait: when the next task may go, 0 for none; and a poll that was the
  // first of such a queue and waits no longer, now that one may go.
  std::int64_t next_due() const;
  std::optional<std::pair<QueueKey, PollId>> take_due(std::int64_t now_ns);

  // These are over; nothing when they do not wait. Queries outlive their run's end.
  void drop_workflow_task(const RunRef& run);
  void drop_activity(const RunRef& run, std::int64_t scheduled_event_id);
  void drop_query(const RunRef& run, const std::string& query_id);
  void drop_run(const RunRef& run);

  // Somebody polls, and is remembered.
  void polled(const QueueKey& queue, const std::string& identity, std::int64_t now_ns);
  // The poll waits: behind the others, or at the place that it had.
  void park(const QueueKey& queue, Poll poll, Place place = Place::kLast);
  // False when it is not parked (answered or unknown).
  bool remove_poll(PollId id);
  std::vector<PollId> remove_polls_of_worker(const std::string& namespace_id,
                                             const std::string& worker_instance_key);

  bool has_poll(const QueueKey& queue) const;
  // Somebody polled it since then, or is polling now.
  bool polled_since(const QueueKey& queue, std::int64_t since_ns) const;
  // Of all priorities.
  std::size_t backlog(const QueueKey& queue) const;
  struct Waits {
    std::size_t tasks = 0;
    std::int64_t oldest_ns = 0;
  };
  std::map<std::uint8_t, Waits> waits_by_priority(const QueueKey& queue) const;
  std::vector<PollerSeen> pollers(const QueueKey& queue) const;
  std::size_t parked_polls() const { return polls_.size(); }
  // Nobody will poll this queue again for all we know.
  void forget_pollers(const QueueKey& queue);
  // Forgets queues that hold nothing and were not polled since `before_ns`.
  void forget_idle(std::int64_t before_ns);

  std::size_t queues() const { return queues_.size(); }
  // Of queues, tasks, polls and who polled, about.
  std::size_t bytes() const { return queue_bytes_ + task_bytes_ + poll_bytes_ + poller_bytes_; }

 private:
  struct Queue;
  using Queues = std::map<QueueKey, Queue>;
  // A task as it is kept: there may be as many as there are executions.
  struct Waiting {
    Waiting(Task&& task, Queues::iterator in);
    Task task() const;
    std::size_t bytes() const;  // in memory, with its places in the tables

    PackedTexts run;
    std::unique_ptr<const std::string> query_id;  // of a query
    std::int64_t id;
    std::int64_t added_ns;
    Queues::iterator queue;
    std::int32_t attempt;
    TaskKind kind;
    bool sticky;
    std::uint8_t priority;
  };
  using Backlog = std::list<Waiting>;
  // Queues where tasks and polls wait for the rate, by when one may go.
  using Held = std::multimap<std::int64_t, Queues::iterator>;
  struct Queue {
    std::map<std::uint8_t, Backlog> backlogs;  // by priority; none is empty
    std::list<Poll> polls;                     // first in, first served
    std::optional<Rate> rate;
    std::optional<Held::iterator> held;
    std::int64_t last_poll_ns = 0;
    std::map<std::string, std::int64_t> seen;  // identity -> last poll
    std::optional<std::list<Queues::iterator>::iterator> idle;
  };
  struct ParkedPoll {
    Queues::iterator queue;
    std::list<Poll>::iterator poll;
  };

  // The run as it is packed.
  using Name = std::tuple<std::string_view, TaskKind, std::int64_t, std::string_view>;
  static std::string packed(const RunRef& run);
  static Name name_of(const Waiting& waiting);
  struct ByName {
    using is_transparent = void;
    bool operator()(Backlog::iterator a, Backlog::iterator b) const { return name_of(*a) < name_of(*b); }
    bool operator()(Backlog::iterator a, const Name& b) const { return name_of(*a) < b; }
    bool operator()(const Name& a, Backlog::iterator b) const { return a < name_of(*b); }
  };

  Queues::iterator open(const QueueKey& key);
  void check_idle(Queues::iterator queue);
  void check_held(Queues::iterator queue);
  void forget(Queues::iterator queue);
  void drop(const Name& name);
  Task take(Backlog::iterator waiting);
  Poll take(const ParkedPoll& parked);
  void remember(Queue& queue, const std::string& identity, std::int64_t now_ns);
  void forget_seen(Queue& queue, std::size_t but_newest);

  const TaskQueueLimits limits_;
  Queues queues_;
  std::set<Backlog::iterator, ByName> waiting_;
  std::unordered_map<PollId, ParkedPoll> polls_;
  std::map<std::pair<std::string, std::string>, std::set<PollId>> polls_of_worker_;
  Held held_;
  std::list<Queues::iterator> idle_;  // the longest first
  std::size_t idle_bytes_ = 0;
  std::size_t queue_bytes_ = 0;
  std::size_t task_bytes_ = 0;
  std::size_t poll_bytes_ = 0;
  std::size_t poller_bytes_ = 0;
};

}  // namespace holdfast::matching
