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
#include "engine/replies.h"
#include "engine/run_cache.h"
#include "engine/task_responses.h"
#include "engine/task_tokens.h"
#include "history/activity.h"
#include "history/priority.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace wt = history::workflow_task;
using matching::Place;
using matching::QueueKey;
using matching::QueueType;
using matching::TaskKind;

namespace {

// Names of partitions ("/_sys/name/3") lead to the one queue there is.
std::string root_queue(const std::string& name) {
  static constexpr std::string_view kPrefix = "/_sys/";
  if (!name.starts_with(kPrefix)) return name;
  const auto slash = name.rfind('/');
  if (slash <= kPrefix.size()) return name;
  return name.substr(kPrefix.size(), slash - kPrefix.size());
}

Parked::Kind poll_kind(QueueType type) {
  switch (type) {
    case QueueType::kWorkflow: return Parked::Kind::kWorkflowPoll;
    case QueueType::kActivity: return Parked::Kind::kActivityPoll;
    case QueueType::kNexus: break;
  }
  return Parked::Kind::kNexusPoll;
}

}  // namespace

void TaskDispatch::workflow_task(Run& run, Place place) {
  MutableState& ms = *run.ms;
  if (run.task_held || !ms.running() || !wt::waits_for_poll(ms)) return;
  QueueKey queue{run.key.namespace_id, ms.s().workflow_task().task_queue(), QueueType::kWorkflow};
  if (ms.s().workflow_task().sticky() &&
      !queues_.polled_since(queue, clock_.now() - limits_.sticky_idle_ns)) {
    // Its worker is gone for all we know: any worker may take the task.
    wt::leave_sticky_queue(ms);
    ms.take_effects();
    cache_.touch(run);
    queue.name = ms.s().workflow_task().task_queue();
  }
  matching::Task task = task_of(run, TaskKind::kWorkflow);
  task.id = ms.s().task_stamp();
  task.sticky = ms.s().workflow_task().sticky();
  add_task(queue, std::move(task), place);
}

void TaskDispatch::activity(Run& run, std::int64_t scheduled_event_id, Place place) {
  const auto* info = run.ms->activity(scheduled_event_id);
  if (info == nullptr || info->started_ns() != 0 || info->backing_off()) return;
  matching::Task task = task_of(run, TaskKind::kActivity);
  task.id = scheduled_event_id;
  task.attempt = info->attempt();
  // What the command leaves open is the workflow's.
  if (info->priority().priority_key() != 0) task.priority = history::priority::level(info->priority());
  add_task({run.key.namespace_id, info->task_queue(), QueueType::kActivity}, std::move(task), place);
}

void TaskDispatch::query(Run& run, const std::string& query_id, Place place) {
  const auto found = run.queries.find(query_id);
  if (found == run.queries.end()) return;
  Query& query = found->second;
  query.state = Query::State::kDirect;
  const auto& state = run.ms->s();
  matching::Task task = task_of(run, TaskKind::kQuery);
  task.query_id = query_id;
  QueueKey queue{run.key.namespace_id, state.task_queue(), QueueType::kWorkflow};
  if (!state.sticky_queue().empty()) {
    const QueueKey sticky{run.key.namespace_id, state.sticky_queue(), QueueType::kWorkflow};
    // Only to a worker that is there this moment: a query has no second life on another queue.
    task.sticky = queues_.has_poll(sticky);
    if (task.sticky) queue = sticky;
  }
  add_task(queue, std::move(task), place);
}

matching::Task TaskDispatch::task_of(const Run& run, TaskKind kind) const {
  matching::Task task;
  task.namespace_id = run.key.namespace_id;
  task.workflow_id = run.key.workflow_id;
  task.run_id = run.key.run_id;
  task.kind = kind;
  task.priority = history::priority::level(run.ms->s().priority());
  task.added_ns = clock_.now();
  return task;
}

void TaskDispatch::add_task(const QueueKey& queue, matching::Task task, Place place) {
  const auto poll = queues_.add_task(queue, std::move(task), place);
  if (poll) serve(queue, *poll);
}

bool TaskDispatch::give_task(const QueueKey& queue, Poller& poller) {
  while (queues_.may_go(queue, clock_.now())) {
    const auto task = queues_.next_task(queue);
    if (!task) return false;
    if (!deliver(*task, queue, poller)) continue;
    queues_.went(queue, clock_.now());
    return true;
  }
  return false;
}

void TaskDispatch::serve(const QueueKey& queue, CallId poll) {
  auto taken = parked_.take(poll);
  HF_CHECK(taken.has_value());
  Parked& parked = *taken;
  Poller poller{std::move(parked.call), std::move(parked.identity), std::move(parked.worker_instance_key)};
  // What there was may be stale: then the poll keeps its place.
  if (!give_task(queue, poller))
    park(queue, std::move(poller), parked.kind, parked.deadline_ns, Place::kFirst);
}

int TaskDispatch::give_due(int most) {
  int done = 0;
  for (; done < most; ++done) {
    const auto due = queues_.take_due(clock_.now());
    if (!due) break;
    serve(due->first, due->second);
  }
  return done;
}

void TaskDispatch::park(const QueueKey& queue, Poller poller, Parked::Kind kind, Ns deadline, Place place) {
  queues_.park(queue, {.id = poller.call.id, .worker_instance_key = poller.worker_instance_key}, place);
  Parked parked;
  parked.kind = kind;
  parked.deadline_ns = deadline;
  parked.call = std::move(poller.call);
  parked.call.request.reset();  // what it said is known
  parked.identity = std::move(poller.identity);
  parked.worker_instance_key = std::move(poller.worker_instance_key);
  parked_.park(std::move(parked));
}

void TaskDispatch::poll(Poller poller, const stored::NamespaceRecord& record, const std::string& queue,
                        QueueType type) {
  if (queue.empty()) return replies_.send(poller.call, errors::invalid("taskQueue is not set"));
  if (queue.size() > static_cast<std::size_t>(limits_.execution.id_bytes)) {
    return replies_.send(poller.call, errors::invalid("taskQueue length exceeds limit"));
  }
  const QueueKey key{record.id(), root_queue(queue), type};
  queues_.polled(key, poller.identity, clock_.now());
  queues_.set_rate(key, poller.tasks_per_second, clock_.now());
  if (give_task(key, poller)) return;
  // Only who would have to wait needs a place.
  if (parked_.full_of_polls()) {
    return replies_.send(
        poller.call,
        errors::exhausted("Too many long polls are open; poll with fewer workers or try again later.",
                          enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT));
  }
  const Ns deadline = clock_.deadline_of(poller.call.options, limits_.long_poll_ns);
  park(key, std::move(poller), poll_kind(type), deadline, Place::kLast);
}

void TaskDispatch::empty_poll(Parked& parked) {
  replies_.send(parked.call, api::new_response(parked.call.method));
}

bool TaskDispatch::deliver(const matching::Task& task, const QueueKey& queue, Poller& poller) {
  Run* run = cache_.find({task.namespace_id, task.workflow_id, task.run_id});
  if (run == nullptr) return false;
  if (!task.query_id.empty()) return deliver_query(*run, task.query_id, queue, poller.call);
  if (queue.type == QueueType::kActivity) return deliver_activity(*run, task, poller);
  MutableState& ms = *run->ms;
  if (!ms.running() || !wt::waits_for_poll(ms) || ms.s().task_stamp() != task.id) return false;
  return deliver_workflow_task(*run, poller);
}

bool TaskDispatch::deliver_workflow_task(Run& run, Poller& poller) {
  Call& call = poller.call;
  const bool inside = call.options.in_process_workflow_worker;
  const wt::StartInfo holder{
      .identity = poller.identity, .request_id = ids_.next(), .holder_epoch = tokens_.holder_epoch(call)};
  if (run.ms->workflow_task_started()) {
    wt::start_again(*run.ms, clock_.now(), holder);
  } else {
    wt::start(*run.ms, limits_.execution, clock_.now(), holder);
  }
  const bool sticky = run.ms->s().workflow_task().sticky();
  auto response = responses_.workflow_task(run, sticky, sticky);
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
  response = responses_.activity(run, *info, std::move(response));
  const bool inside = poller.call.options.in_process_workflow_worker;
  if (!inside || !limits_.pure_activities.contains(info->activity_type())) {
    replies_.send(poller.call, std::move(response));
    return true;
  }
  early_activities_.insert({run.key, task.id});
  replies_.send_early(poller.call, std::move(response));
  return true;
}

matching::RunRef TaskDispatch::ref(const RunKey& key) {
  return {key.namespace_id, key.workflow_id, key.run_id};
}

void TaskDispatch::withdraw_workflow_task(const Run& run) {
  queues_.drop_workflow_task(ref(run.key));
}

void TaskDispatch::activity_ended(const Run& run, std::int64_t scheduled_event_id) {
  queues_.drop_activity(ref(run.key), scheduled_event_id);
  early_activities_.erase({run.key, scheduled_event_id});
}

void TaskDispatch::query_ended(const RunKey& run, const std::string& query_id) {
  queues_.drop_query(ref(run), query_id);
}

void TaskDispatch::closed(Run& run) {
  queues_.drop_run(ref(run.key));
  task_came_back(run);
}

void TaskDispatch::take_back_workflow_task(Run& run) {
  task_came_back(run);
  wt::take_back(*run.ms);
  for (auto& [id, query] : run.queries) {
    if (query.state == Query::State::kWithTask) query.state = Query::State::kBuffered;
  }
  cache_.touch(run);
  workflow_task(run, Place::kFirst);
}

void TaskDispatch::task_came_back(Run& run) {
  if (!run.early_out) return;
  run.early_out = false;
  --early_out_;
}

// The name comes from the worker and may be any queue's: tasks that were never sticky keep their place.
std::vector<matching::Task> TaskDispatch::leave_queue(const QueueKey& sticky) {
  queues_.forget_pollers(sticky);
  std::vector<matching::Task> waiting;
  while (auto task = queues_.next_task(sticky)) waiting.push_back(std::move(*task));
  const auto leaving = std::stable_partition(waiting.begin(), waiting.end(),
                                             [](const matching::Task& task) { return !task.sticky; });
  for (auto task = std::make_reverse_iterator(leaving); task != waiting.rend(); ++task) {
    queues_.add_task(sticky, std::move(*task), Place::kFirst);
  }
  waiting.erase(waiting.begin(), leaving);
  return waiting;
}

}  // namespace holdfast::engine
