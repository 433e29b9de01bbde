#pragma once

// Pairs tasks with the polls that wait for them. Pure and single-threaded: no clock, no messages, no idea of
// what a task is; the engine core owns it. A task lives here only as a reference to an execution's state
// (task queues have no rows of their own), so everything in it can be rebuilt from the recovery index.
//
// A task may be stale by the time it meets a poll: the core checks, and asks for the next one.

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::matching {

enum class QueueType : std::uint8_t { kWorkflow, kActivity };

struct QueueKey {
  std::string namespace_id;
  std::string name;
  QueueType type = QueueType::kWorkflow;
  auto operator<=>(const QueueKey&) const = default;
};

struct Task {
  std::string namespace_id;
  std::string workflow_id;
  std::string run_id;
  // Workflow tasks: the stamp of the task; activities: the scheduled event.
  std::int64_t id = 0;
  std::int32_t attempt = 0;
  std::string query_id;  // set: the task is a query
  bool sticky = false;   // waits on the queue of one worker, and may leave it
  std::int64_t added_ns = 0;
};

using PollId = std::uint64_t;

struct Poll {
  PollId id = 0;
  std::string identity;
  std::string worker_instance_key;
  std::int64_t deadline_ns = 0;  // when it gets its empty answer
};

struct PollerSeen {
  std::string identity;
  std::int64_t last_access_ns = 0;
};

class TaskQueues {
 public:
  // A poll that waits gets the task; without one the task joins the backlog.
  std::optional<PollId> add_task(const QueueKey& queue, Task task);
  // The oldest task, or nothing: then the poll is parked until a task, its deadline or remove_poll().
  std::optional<Task> add_poll(const QueueKey& queue, Poll poll, std::int64_t now_ns);
  // The next task of the backlog, for a poll whose last one was stale.
  std::optional<Task> next_task(const QueueKey& queue);
  // Parks a poll again at the front, after a stale task.
  void park_first(const QueueKey& queue, Poll poll);
  // Puts a task back at the front, after a poll that turned out to be gone.
  void return_task(const QueueKey& queue, Task task);

  // False when it is not parked (answered or unknown).
  bool remove_poll(PollId id);
  std::vector<PollId> remove_polls_of_worker(const std::string& namespace_id,
                                             const std::string& worker_instance_key);
  // Parked polls whose deadline has come; they are removed.
  std::vector<PollId> expired(std::int64_t now_ns);
  // 0: no poll is parked.
  std::int64_t next_deadline() const;

  bool has_poll(const QueueKey& queue) const;
  // Somebody polled it within `window_ns`, or is polling now.
  bool polled_since(const QueueKey& queue, std::int64_t since_ns) const;
  std::size_t backlog(const QueueKey& queue) const;
  std::int64_t oldest_task_ns(const QueueKey& queue) const;
  std::vector<PollerSeen> pollers(const QueueKey& queue) const;
  std::size_t parked_polls() const { return where_.size(); }
  // Nobody will poll this queue again for all we know.
  void forget_pollers(const QueueKey& queue);
  // Forgets queues that hold nothing and were not polled since `before_ns`.
  void forget_idle(std::int64_t before_ns);

 private:
  struct Queue {
    std::deque<Task> backlog;
    std::list<Poll> polls;  // first in, first served
    std::int64_t last_poll_ns = 0;
    std::map<std::string, std::int64_t> seen;  // identity -> last poll; bounded by kMaxPollersRemembered
  };
  using Queues = std::map<QueueKey, Queue>;
  struct Where {
    Queues::iterator queue;
    std::list<Poll>::iterator poll;
  };
  static constexpr std::size_t kMaxPollersRemembered = 64;

  Poll unpark(Queue& queue, std::list<Poll>::iterator poll);

  Queues queues_;
  std::unordered_map<PollId, Where> where_;
  std::multimap<std::int64_t, PollId> deadlines_;
};

}  // namespace holdfast::matching
