#include "matching/task_queues.h"

#include <algorithm>
#include <limits>

namespace holdfast::matching {
namespace {

// What a node of a list, a map or a hash table costs beside its value, about.
constexpr std::size_t kNode = 48;

std::size_t bytes_of(const std::string& text) {
  return text.capacity() > 15 ? text.capacity() + 1 : 0;
}

std::size_t bytes_of(const Poll& poll) {
  return sizeof(Poll) + 4 * kNode + 2 * bytes_of(poll.worker_instance_key);
}

std::size_t bytes_of(const QueueKey& key) {
  return sizeof(QueueKey) + 256 + bytes_of(key.namespace_id) + bytes_of(key.name);
}

std::size_t bytes_of_poller(const std::string& identity) {
  return sizeof(std::string) + kNode + bytes_of(identity);
}

}  // namespace

TaskQueues::Waiting::Waiting(Task&& task, Queues::iterator in)
    : run(packed({task.namespace_id, task.workflow_id, task.run_id})),
      query_id(task.query_id.empty() ? nullptr
                                     : std::make_unique<const std::string>(std::move(task.query_id))),
      id(task.id),
      added_ns(task.added_ns),
      queue(in),
      attempt(task.attempt),
      kind(task.kind),
      sticky(task.sticky),
      priority(task.priority) {}

Task TaskQueues::Waiting::task() const {
  Task task;
  auto [of_run, workflow, in_namespace] = run.texts<3>();
  task.namespace_id = std::move(in_namespace);
  task.workflow_id = std::move(workflow);
  task.run_id = std::move(of_run);
  task.kind = kind;
  task.id = id;
  task.attempt = attempt;
  if (query_id) task.query_id = *query_id;
  task.sticky = sticky;
  task.priority = priority;
  task.added_ns = added_ns;
  return task;
}

std::string TaskQueues::packed(const RunRef& run) {
  return pack_texts({run.run_id, run.workflow_id, run.namespace_id});
}

TaskQueues::Name TaskQueues::name_of(const Waiting& waiting) {
  return {waiting.run.bytes(), waiting.kind, waiting.kind == TaskKind::kActivity ? waiting.id : 0,
          waiting.query_id ? std::string_view(*waiting.query_id) : std::string_view()};
}

std::size_t TaskQueues::Waiting::bytes() const {
  return sizeof(Waiting) + 2 * kNode + run.size_in_memory() +
         (query_id ? sizeof(std::string) + bytes_of(*query_id) : 0);
}

TaskQueues::Queues::iterator TaskQueues::open(const QueueKey& key) {
  const auto [queue, fresh] = queues_.try_emplace(key);
  if (fresh) queue_bytes_ += bytes_of(queue->first);
  if (queue->second.idle) {
    idle_.erase(*queue->second.idle);
    queue->second.idle.reset();
    idle_bytes_ -= bytes_of(queue->first);
  }
  return queue;
}

// A queue that holds nothing waits for its end; too much of them, and the longest idle ones end now.
void TaskQueues::check_idle(Queues::iterator queue) {
  if (queue->second.idle || !queue->second.backlogs.empty() || !queue->second.polls.empty()) return;
  queue->second.idle = idle_.insert(idle_.end(), queue);
  idle_bytes_ += bytes_of(queue->first);
  while (idle_bytes_ > limits_.idle_queues_bytes) forget(idle_.front());
}

// Whether tasks and polls wait side by side, and until when.
void TaskQueues::check_held(Queues::iterator queue) {
  Queue& own = queue->second;
  const bool was_held = own.held.has_value();
  if (was_held) held_.erase(*own.held);
  own.held.reset();
  if (own.backlogs.empty() || own.polls.empty()) return;
  // Without a rate they only wait when they have been held until now.
  if (own.rate || was_held) own.held = held_.emplace(own.rate ? own.rate->ready() : 0, queue);
}

void TaskQueues::forget(Queues::iterator queue) {
  idle_.erase(*queue->second.idle);
  idle_bytes_ -= bytes_of(queue->first);
  queue_bytes_ -= bytes_of(queue->first);
  forget_seen(queue->second, 0);
  queues_.erase(queue);
}

std::optional<PollId> TaskQueues::add_task(const QueueKey& key, Task task, Place place) {
  Waiting waiting(std::move(task), queues_.end());
  drop(name_of(waiting));
  const auto queue = waiting.queue = open(key);
  Backlog& backlog = queue->second.backlogs[waiting.priority];
  task_bytes_ += waiting.bytes();
  const std::int64_t now = waiting.added_ns;
  waiting_.insert(
      backlog.insert(place == Place::kFirst ? backlog.begin() : backlog.end(), std::move(waiting)));
  auto& polls = queue->second.polls;
  const auto& rate = queue->second.rate;
  if (polls.empty() || (rate && rate->ready() > now)) {
    check_held(queue);
    return std::nullopt;
  }
  return take(ParkedPoll{queue, polls.begin()}).id;
}

std::optional<Task> TaskQueues::next_task(const QueueKey& key) {
  const auto queue = queues_.find(key);
  if (queue == queues_.end() || queue->second.backlogs.empty()) return std::nullopt;
  return take(queue->second.backlogs.begin()->second.begin());
}

Task TaskQueues::take(Backlog::iterator waiting) {
  waiting_.erase(waiting);
  const auto queue = waiting->queue;
  Task task = waiting->task();
  task_bytes_ -= waiting->bytes();
  const auto backlog = queue->second.backlogs.find(task.priority);
  backlog->second.erase(waiting);
  if (backlog->second.empty()) queue->second.backlogs.erase(backlog);
  check_held(queue);
  check_idle(queue);
  return task;
}

void TaskQueues::drop(const Name& name) {
  if (const auto found = waiting_.find(name); found != waiting_.end()) take(*found);
}

void TaskQueues::drop_workflow_task(const RunRef& run) {
  drop({packed(run), TaskKind::kWorkflow, 0, {}});
}

void TaskQueues::drop_activity(const RunRef& run, std::int64_t scheduled_event_id) {
  drop({packed(run), TaskKind::kActivity, scheduled_event_id, {}});
}

void TaskQueues::drop_query(const RunRef& run, const std::string& query_id) {
  drop({packed(run), TaskKind::kQuery, 0, query_id});
}

void TaskQueues::drop_run(const RunRef& run) {
  constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
  const std::string of_run = packed(run);
  const Name end{of_run, TaskKind::kQuery, kFirst, {}};
  auto found = waiting_.lower_bound(Name{of_run, TaskKind::kWorkflow, kFirst, {}});
  while (found != waiting_.end() && name_of(**found) < end) take(*found++);
}

void TaskQueues::polled(const QueueKey& key, const std::string& identity, std::int64_t now_ns) {
  const auto queue = open(key);
  queue->second.last_poll_ns = now_ns;
  remember(queue->second, identity, now_ns);
  check_idle(queue);
}

void TaskQueues::remember(Queue& queue, const std::string& identity, std::int64_t now_ns) {
  const auto [seen, fresh] = queue.seen.insert_or_assign(identity, now_ns);
  if (fresh) poller_bytes_ += bytes_of_poller(seen->first);
  if (queue.seen.size() > limits_.pollers_remembered) forget_seen(queue, limits_.pollers_remembered);
  if (poller_bytes_ > limits_.pollers_bytes) forget_seen(queue, 1);
}

void TaskQueues::forget_seen(Queue& queue, std::size_t but_newest) {
  while (queue.seen.size() > but_newest) {
    const auto oldest = std::ranges::min_element(queue.seen, {}, [](const auto& one) { return one.second; });
    poller_bytes_ -= bytes_of_poller(oldest->first);
    queue.seen.erase(oldest);
  }
}

void TaskQueues::park(const QueueKey& key, Poll poll, Place place) {
  const auto queue = open(key);
  auto& polls = queue->second.polls;
  const PollId id = poll.id;
  poll_bytes_ += bytes_of(poll);
  if (!poll.worker_instance_key.empty())
    polls_of_worker_[{key.namespace_id, poll.worker_instance_key}].insert(id);
  polls_.emplace(id, ParkedPoll{queue, polls.insert(place == Place::kFirst ? polls.begin() : polls.end(),
                                                    std::move(poll))});
  check_held(queue);
}

Poll TaskQueues::take(const ParkedPoll& parked) {
  const auto queue = parked.queue;
  Poll poll = std::move(*parked.poll);
  queue->second.polls.erase(parked.poll);
  polls_.erase(poll.id);
  poll_bytes_ -= bytes_of(poll);
  const auto worker = polls_of_worker_.find({queue->first.namespace_id, poll.worker_instance_key});
  if (worker != polls_of_worker_.end()) {
    worker->second.erase(poll.id);
    if (worker->second.empty()) polls_of_worker_.erase(worker);
  }
  check_held(queue);
  check_idle(queue);
  return poll;
}

bool TaskQueues::remove_poll(PollId id) {
  const auto found = polls_.find(id);
  if (found == polls_.end()) return false;
  take(ParkedPoll(found->second));
  return true;
}

std::vector<PollId> TaskQueues::remove_polls_of_worker(const std::string& namespace_id,
                                                       const std::string& worker_instance_key) {
  const auto worker = polls_of_worker_.find({namespace_id, worker_instance_key});
  if (worker == polls_of_worker_.end()) return {};
  const std::vector<PollId> ids(worker->second.begin(), worker->second.end());
  for (PollId id : ids) remove_poll(id);
  return ids;
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
  std::size_t tasks = 0;
  if (found == queues_.end()) return tasks;
  for (const auto& [priority, backlog] : found->second.backlogs) tasks += backlog.size();
  return tasks;
}

std::map<std::uint8_t, TaskQueues::Waits> TaskQueues::waits_by_priority(const QueueKey& key) const {
  std::map<std::uint8_t, Waits> waits;
  const auto found = queues_.find(key);
  if (found == queues_.end()) return waits;
  for (const auto& [priority, backlog] : found->second.backlogs)
    waits[priority] = {backlog.size(), backlog.front().added_ns};
  return waits;
}

void TaskQueues::set_rate(const QueueKey& key, std::optional<double> per_second, std::int64_t now_ns) {
  const auto queue = queues_.find(key);
  if (queue == queues_.end()) return;
  auto& rate = queue->second.rate;
  if (!per_second) {
    rate.reset();
  } else if (!rate) {
    rate.emplace(*per_second);
  } else if (rate->per_second() != *per_second) {
    rate->change(*per_second, now_ns);
  } else {
    return;
  }
  check_held(queue);
}

std::optional<double> TaskQueues::rate(const QueueKey& key) const {
  const auto found = queues_.find(key);
  if (found == queues_.end() || !found->second.rate) return std::nullopt;
  return found->second.rate->per_second();
}

bool TaskQueues::may_go(const QueueKey& key, std::int64_t now_ns) const {
  const auto found = queues_.find(key);
  return found == queues_.end() || !found->second.rate || found->second.rate->ready() <= now_ns;
}

void TaskQueues::went(const QueueKey& key, std::int64_t now_ns) {
  const auto queue = queues_.find(key);
  if (queue == queues_.end() || !queue->second.rate) return;
  queue->second.rate->went(now_ns);
  check_held(queue);
}

std::int64_t TaskQueues::next_due() const {
  if (held_.empty() || held_.begin()->first == Rate::kNever) return 0;
  return std::max<std::int64_t>(held_.begin()->first, 1);
}

std::optional<std::pair<QueueKey, PollId>> TaskQueues::take_due(std::int64_t now_ns) {
  if (held_.empty() || held_.begin()->first > now_ns) return std::nullopt;
  const auto queue = held_.begin()->second;
  const QueueKey key = queue->first;
  return std::pair(key, take(ParkedPoll{queue, queue->second.polls.begin()}).id);
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
  forget_seen(found->second, 0);
}

void TaskQueues::forget_idle(std::int64_t before_ns) {
  while (!idle_.empty() && idle_.front()->second.last_poll_ns < before_ns) forget(idle_.front());
}

}  // namespace holdfast::matching
