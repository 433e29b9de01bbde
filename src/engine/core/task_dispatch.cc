#include "engine/task_dispatch.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/check.h"
#include "engine/core_clock.h"
#include "engine/errors.h"
#include "engine/history_waiters.h"
#include "engine/new_ids.h"
#include "engine/options.h"
#include "engine/parked_calls.h"
#include "engine/replies.h"
#include "engine/run_cache.h"
#include "engine/task_responses.h"
#include "engine/task_tokens.h"
#include "history/activity.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace wt = history::workflow_task;
using matching::QueueKey;
using matching::QueueType;

namespace {

// Names of partitions ("/_sys/name/3") lead to the one queue there is.
std::string root_queue(const std::string& name) {
  static constexpr std::string_view kPrefix = "/_sys/";
  if (!name.starts_with(kPrefix)) return name;
  const auto slash = name.rfind('/');
  if (slash <= kPrefix.size()) return name;
  return name.substr(kPrefix.size(), slash - kPrefix.size());
}

}  // namespace

void TaskDispatch::workflow_task(Run& run) {
  MutableState& ms = *run.ms;
  if (!ms.running() || !ms.workflow_task_pending() || ms.workflow_task_started()) return;
  QueueKey queue{run.key.namespace_id, ms.s().workflow_task().task_queue(), QueueType::kWorkflow};
  if (ms.s().workflow_task().sticky() &&
      !queues_.polled_since(queue, clock_.now() - limits_.sticky_idle_ns)) {
    // Its worker is gone for all we know: any worker may take the task.
    wt::leave_sticky_queue(ms);
    ms.take_effects();
    cache_.touch(run);
    queue.name = ms.s().workflow_task().task_queue();
  }
  matching::Task task;
  task.namespace_id = run.key.namespace_id;
  task.workflow_id = run.key.workflow_id;
  task.run_id = run.key.run_id;
  task.id = ms.s().task_stamp();
  task.sticky = ms.s().workflow_task().sticky();
  task.added_ns = clock_.now();
  add_task(queue, std::move(task));
}

void TaskDispatch::activity(Run& run, std::int64_t scheduled_event_id) {
  const auto* info = run.ms->activity(scheduled_event_id);
  if (info == nullptr || info->started_ns() != 0 || info->backing_off()) return;
  matching::Task task;
  task.namespace_id = run.key.namespace_id;
  task.workflow_id = run.key.workflow_id;
  task.run_id = run.key.run_id;
  task.id = scheduled_event_id;
  task.attempt = info->attempt();
  task.added_ns = clock_.now();
  add_task({run.key.namespace_id, info->task_queue(), QueueType::kActivity}, std::move(task));
}

void TaskDispatch::query(Run& run, const std::string& query_id) {
  const auto found = run.queries.find(query_id);
  if (found == run.queries.end()) return;
  Query& query = found->second;
  query.state = Query::State::kDirect;
  const auto& state = run.ms->s();
  matching::Task task;
  task.namespace_id = run.key.namespace_id;
  task.workflow_id = run.key.workflow_id;
  task.run_id = run.key.run_id;
  task.query_id = query_id;
  task.added_ns = clock_.now();
  QueueKey queue{run.key.namespace_id, state.task_queue(), QueueType::kWorkflow};
  if (!state.sticky_queue().empty()) {
    const QueueKey sticky{run.key.namespace_id, state.sticky_queue(), QueueType::kWorkflow};
    // Only to a worker that is there this moment: a query has no second life on another queue.
    task.sticky = queues_.has_poll(sticky);
    if (task.sticky) queue = sticky;
  }
  add_task(queue, std::move(task));
}

void TaskDispatch::add_task(const QueueKey& queue, matching::Task task) {
  const auto id = queues_.add_task(queue, std::move(task));
  if (!id) return;
  auto taken = parked_.take(*id);
  HF_CHECK(taken.has_value());
  Parked& parked = *taken;
  Poller poller{std::move(parked.call), std::move(parked.identity), std::move(parked.worker_instance_key)};
  while (auto next = queues_.next_task(queue)) {
    if (deliver(*next, queue, poller)) return;
  }
  // All of them stale: the poll keeps its place.
  queues_.park_first(queue, {.id = *id,
                             .identity = poller.identity,
                             .worker_instance_key = poller.worker_instance_key,
                             .deadline_ns = parked.deadline_ns});
  parked.call = std::move(poller.call);
  parked.identity = std::move(poller.identity);
  parked.worker_instance_key = std::move(poller.worker_instance_key);
  parked_.park(std::move(parked));
}

void TaskDispatch::poll(Poller poller, const stored::NamespaceRecord& record, const std::string& queue,
                        QueueType type) {
  if (queue.empty()) return replies_.send(poller.call, errors::invalid("TaskQueue is not set on request."));
  if (queue.size() > static_cast<std::size_t>(limits_.execution.id_bytes)) {
    return replies_.send(poller.call, errors::invalid("TaskQueue length exceeds limit of 1000 bytes."));
  }
  if (parked_.full()) {
    return replies_.send(
        poller.call,
        errors::exhausted("Too many long polls are open; poll with fewer workers or try again later.",
                          enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT));
  }
  const QueueKey key{record.id(), root_queue(queue), type};
  const matching::Poll poll{.id = poller.call.id,
                            .identity = poller.identity,
                            .worker_instance_key = poller.worker_instance_key,
                            .deadline_ns = clock_.deadline_of(poller.call.options, limits_.long_poll_ns)};
  auto task = queues_.add_poll(key, poll, clock_.now());
  const bool parked_there = !task;
  for (; task; task = queues_.next_task(key)) {
    if (deliver(*task, key, poller)) return;
  }
  if (!parked_there) queues_.park_first(key, poll);
  Parked parked;
  parked.kind = type == QueueType::kWorkflow ? Parked::Kind::kWorkflowPoll : Parked::Kind::kActivityPoll;
  parked.deadline_ns = poll.deadline_ns;
  parked.call = std::move(poller.call);
  parked.identity = std::move(poller.identity);
  parked.worker_instance_key = std::move(poller.worker_instance_key);
  parked_.park(std::move(parked));
}

void TaskDispatch::empty_poll(Parked& parked) {
  if (parked.kind == Parked::Kind::kWorkflowPoll) {
    replies_.send(parked.call, std::make_unique<ws::PollWorkflowTaskQueueResponse>());
  } else {
    replies_.send(parked.call, std::make_unique<ws::PollActivityTaskQueueResponse>());
  }
}

bool TaskDispatch::deliver(const matching::Task& task, const QueueKey& queue, Poller& poller) {
  Run* run = cache_.find({task.namespace_id, task.workflow_id, task.run_id});
  if (run == nullptr) return false;
  if (!task.query_id.empty()) return deliver_query(*run, task.query_id, queue, poller.call);
  if (queue.type == QueueType::kActivity) return deliver_activity(*run, task, poller);
  MutableState& ms = *run->ms;
  if (!ms.running() || !ms.workflow_task_pending() || ms.workflow_task_started() ||
      ms.s().task_stamp() != task.id) {
    return false;
  }
  return deliver_workflow_task(*run, poller);
}

bool TaskDispatch::deliver_workflow_task(Run& run, Poller& poller) {
  Call& call = poller.call;
  const bool inside = call.options.in_process_workflow_worker;
  wt::start(
      *run.ms, limits_.execution, clock_.now(),
      {.identity = poller.identity, .request_id = ids_.next(), .holder_epoch = tokens_.holder_epoch(call)});
  auto response = responses_.workflow_task(run, run.ms->s().workflow_task().sticky());
  response->set_backlog_count_hint(static_cast<std::int64_t>(queues_.backlog(
      {run.key.namespace_id, run.ms->s().workflow_task().task_queue(), QueueType::kWorkflow})));
  cache_.touch(run);
  if (!run.history_waiters.empty()) history_waiters_.notify(run);
  if (!inside) {
    replies_.send(call, std::move(response));
    return true;
  }
  // Law 3's exception: the worker is part of this process, and a workflow task is pure.
  run.early_out = true;
  ++early_out_;
  replies_.send_early(call, std::move(response));
  return true;
}

bool TaskDispatch::deliver_query(Run& run, const std::string& query_id, const QueueKey& queue, Call& call) {
  const auto found = run.queries.find(query_id);
  if (found == run.queries.end() || found->second.state != Query::State::kDirect) return false;
  const bool sticky = queue.name != run.ms->s().task_queue();
  replies_.send(call, responses_.query(run, query_id, found->second.query, sticky));
  return true;
}

bool TaskDispatch::deliver_activity(Run& run, const matching::Task& task, Poller& poller) {
  auto* info = run.ms->activity(task.id);
  if (!run.ms->running() || info == nullptr || !history::activity::startable(*info, task.attempt))
    return false;
  auto response = responses_.activity_input(run, task.id);
  if (!response) return false;
  history::activity::start(*run.ms, clock_.now(), info, poller.identity, ids_.next(),
                           tokens_.holder_epoch(poller.call));
  cache_.touch(run);
  replies_.send(poller.call, responses_.activity(run, *info, std::move(response)));
  return true;
}

void TaskDispatch::task_came_back(Run& run) {
  if (!run.early_out) return;
  run.early_out = false;
  --early_out_;
}

// The name comes from the worker and may be any queue's: tasks that were never sticky keep their place.
void TaskDispatch::leave_queue(const QueueKey& sticky) {
  queues_.forget_pollers(sticky);
  // All of them first: one that comes back to this queue must not be met again.
  std::vector<matching::Task> waiting;
  while (auto task = queues_.next_task(sticky)) waiting.push_back(std::move(*task));
  const auto leaving = std::stable_partition(waiting.begin(), waiting.end(),
                                             [](const matching::Task& task) { return !task.sticky; });
  for (auto task = std::make_reverse_iterator(leaving); task != waiting.rend(); ++task) {
    queues_.return_task(sticky, std::move(*task));
  }
  for (auto task = leaving; task != waiting.end(); ++task) {
    Run* run = cache_.find({task->namespace_id, task->workflow_id, task->run_id});
    if (run == nullptr) continue;
    if (!task->query_id.empty()) {
      query(*run, task->query_id);
    } else if (run->ms->s().task_stamp() == task->id) {
      workflow_task(*run);
    }
  }
}

}  // namespace holdfast::engine
