#include "matching/task_queues.h"

#include <algorithm>

namespace holdfast::matching {

Poll TaskQueues::unpark(Queue& queue, std::list<Poll>::iterator poll) {
  Poll taken = std::move(*poll);
  queue.polls.erase(poll);
  where_.erase(taken.id);
  const auto [first, last] = deadlines_.equal_range(taken.deadline_ns);
  const auto found = std::find_if(first, last, [&](const auto& entry) { return entry.second == taken.id; });
  if (found != last) deadlines_.erase(found);
  return taken;
}

std::optional<PollId> TaskQueues::add_task(const QueueKey& key, Task task) {
  Queue& queue = queues_[key];
  // A waiting poll implies an empty backlog, except while stale tasks are being skipped: order is kept either
  // way.
  queue.backlog.push_back(std::move(task));
  if (queue.polls.empty()) return std::nullopt;
  return unpark(queue, queue.polls.begin()).id;
}

std::optional<Task> TaskQueues::next_task(const QueueKey& key) {
  const auto found = queues_.find(key);
  if (found == queues_.end() || found->second.backlog.empty()) return std::nullopt;
  Task task = std::move(found->second.backlog.front());
  found->second.backlog.pop_front();
  return task;
}

std::optional<Task> TaskQueues::add_poll(const QueueKey& key, Poll poll, std::int64_t now_ns) {
  const auto entry = queues_.try_emplace(key).first;
  Queue& queue = entry->second;
  queue.last_poll_ns = now_ns;
  queue.seen[poll.identity] = now_ns;
  if (queue.seen.size() > kMaxPollersRemembered) {
    queue.seen.erase(std::ranges::min_element(queue.seen, {}, [](const auto& one) { return one.second; }));
  }
  if (auto task = next_task(key)) return task;
  deadlines_.emplace(poll.deadline_ns, poll.id);
  const PollId id = poll.id;
  queue.polls.push_back(std::move(poll));
  where_.emplace(id, Where{entry, std::prev(queue.polls.end())});
  return std::nullopt;
}

void TaskQueues::park_first(const QueueKey& key, Poll poll) {
  const auto entry = queues_.try_emplace(key).first;
  deadlines_.emplace(poll.deadline_ns, poll.id);
  const PollId id = poll.id;
  entry->second.polls.push_front(std::move(poll));
  where_.emplace(id, Where{entry, entry->second.polls.begin()});
}

void TaskQueues::return_task(const QueueKey& key, Task task) {
  queues_[key].backlog.push_front(std::move(task));
}

bool TaskQueues::remove_poll(PollId id) {
  const auto found = where_.find(id);
  if (found == where_.end()) return false;
  unpark(found->second.queue->second, found->second.poll);
  return true;
}

std::vector<PollId> TaskQueues::remove_polls_of_worker(const std::string& namespace_id,
                                                       const std::string& worker_instance_key) {
  std::vector<PollId> removed;
  if (worker_instance_key.empty()) return removed;
  for (auto& [key, queue] : queues_) {
    if (key.namespace_id != namespace_id) continue;
    for (const Poll& poll : queue.polls) {
      if (poll.worker_instance_key == worker_instance_key) removed.push_back(poll.id);
    }
  }
  for (PollId id : removed) remove_poll(id);
  return removed;
}

std::vector<PollId> TaskQueues::expired(std::int64_t now_ns) {
  std::vector<PollId> ids;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_ns) {
    const PollId id = deadlines_.begin()->second;
    ids.push_back(id);
    remove_poll(id);
  }
  return ids;
}

std::int64_t TaskQueues::next_deadline() const {
  return deadlines_.empty() ? 0 : deadlines_.begin()->first;
}

bool TaskQueues::has_poll(const QueueKey& key) const {
  const auto found = queues_.find(key);
  return found != queues_.end() && !found->second.polls.empty();
}

bool TaskQueues::polled_since(const QueueKey& key, std::int64_t since_ns) const {
  const auto found = queues_.find(key);
  return found != queues_.end() && (!found->second.polls.empty() || found->second.last_poll_ns >= since_ns);
}

std::size_t TaskQueues::backlog(const QueueKey& key) const {
  const auto found = queues_.find(key);
  return found == queues_.end() ? 0 : found->second.backlog.size();
}

std::int64_t TaskQueues::oldest_task_ns(const QueueKey& key) const {
  const auto found = queues_.find(key);
  return found == queues_.end() || found->second.backlog.empty() ? 0 : found->second.backlog.front().added_ns;
}

std::vector<PollerSeen> TaskQueues::pollers(const QueueKey& key) const {
  std::vector<PollerSeen> result;
  const auto found = queues_.find(key);
  if (found == queues_.end()) return result;
  for (const auto& [identity, seen_ns] : found->second.seen) result.push_back({identity, seen_ns});
  return result;
}

void TaskQueues::forget_pollers(const QueueKey& key) {
  const auto found = queues_.find(key);
  if (found == queues_.end()) return;
  found->second.last_poll_ns = 0;
  found->second.seen.clear();
}

void TaskQueues::forget_idle(std::int64_t before_ns) {
  std::erase_if(queues_, [&](const auto& entry) {
    return entry.second.backlog.empty() && entry.second.polls.empty() &&
           entry.second.last_poll_ns < before_ns;
  });
}

}  // namespace holdfast::matching
