// Tasks meet polls: what waits is offered, what is stale is skipped, what is handed out is started first.

#include <algorithm>

#include "base/check.h"
#include "base/ids.h"
#include "engine/core_impl.h"
#include "history/activity.h"
#include "history/update.h"
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

void EngineCore::Impl::dispatch_workflow_task(Run& run) {
  MutableState& ms = *run.ms;
  if (!ms.running() || !ms.workflow_task_pending() || ms.workflow_task_started()) return;
  QueueKey queue{run.key.namespace_id, ms.s().workflow_task().task_queue(), QueueType::kWorkflow};
  if (ms.s().workflow_task().sticky() &&
      !matching_.polled_since(queue, now_ - options_.limits.sticky_idle_ns)) {
    // Its worker is gone for all we know: any worker may take the task.
    wt::leave_sticky_queue(ms);
    ms.take_effects();
    touch(run);
    queue.name = ms.s().workflow_task().task_queue();
  }
  matching::Task task;
  task.namespace_id = run.key.namespace_id;
  task.workflow_id = run.key.workflow_id;
  task.run_id = run.key.run_id;
  task.id = ms.s().task_stamp();
  task.sticky = ms.s().workflow_task().sticky();
  task.added_ns = now_;
  add_task(queue, std::move(task));
}

void EngineCore::Impl::dispatch_activity(Run& run, std::int64_t scheduled_event_id) {
  const auto* info = run.ms->activity(scheduled_event_id);
  if (info == nullptr || info->started_ns() != 0 || info->backing_off()) return;
  matching::Task task;
  task.namespace_id = run.key.namespace_id;
  task.workflow_id = run.key.workflow_id;
  task.run_id = run.key.run_id;
  task.id = scheduled_event_id;
  task.attempt = info->attempt();
  task.added_ns = now_;
  add_task({run.key.namespace_id, info->task_queue(), QueueType::kActivity}, std::move(task));
}

void EngineCore::Impl::dispatch_query(Run& run, const std::string& query_id) {
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
  task.added_ns = now_;
  QueueKey queue{run.key.namespace_id, state.task_queue(), QueueType::kWorkflow};
  if (!state.sticky_queue().empty()) {
    const QueueKey sticky{run.key.namespace_id, state.sticky_queue(), QueueType::kWorkflow};
    // Only to a worker that is there this moment: a query has no second life on another queue.
    task.sticky = matching_.has_poll(sticky);
    if (task.sticky) queue = sticky;
  }
  add_task(queue, std::move(task));
}

void EngineCore::Impl::add_task(const QueueKey& queue, matching::Task task) {
  const auto id = matching_.add_task(queue, std::move(task));
  if (!id) return;
  const auto found = parked_.find(*id);
  HF_CHECK(found != parked_.end());
  Parked parked = std::move(found->second);
  parked_.erase(found);
  parked_deadlines_.erase({parked.deadline_ns, *id});
  Poller poller{std::move(parked.call), std::move(parked.identity), std::move(parked.worker_instance_key)};
  while (auto next = matching_.next_task(queue)) {
    if (deliver(*next, queue, poller)) return;
  }
  // All of them stale: the poll keeps its place.
  matching_.park_first(queue, {.id = *id,
                               .identity = poller.identity,
                               .worker_instance_key = poller.worker_instance_key,
                               .deadline_ns = parked.deadline_ns});
  parked.call = std::move(poller.call);
  parked.identity = std::move(poller.identity);
  parked.worker_instance_key = std::move(poller.worker_instance_key);
  parked_deadlines_.emplace(parked.deadline_ns, *id);
  parked_.emplace(*id, std::move(parked));
}

void EngineCore::Impl::poll(Poller poller, const stored::NamespaceRecord& record, const std::string& queue,
                            QueueType type) {
  if (queue.empty()) return reply(poller.call, errors::invalid("TaskQueue is not set on request."));
  if (queue.size() > static_cast<std::size_t>(options_.limits.execution.id_bytes)) {
    return reply(poller.call, errors::invalid("TaskQueue length exceeds limit of 1000 bytes."));
  }
  if (parked_.size() >= options_.limits.parked_polls) {
    return reply(poller.call, errors::exhausted(
                                  "Too many long polls are open; poll with fewer workers or try again later.",
                                  enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT));
  }
  const QueueKey key{record.id(), root_queue(queue), type};
  const matching::Poll poll{.id = poller.call.id,
                            .identity = poller.identity,
                            .worker_instance_key = poller.worker_instance_key,
                            .deadline_ns = call_deadline(poller.call, options_.limits.long_poll_ns)};
  auto task = matching_.add_poll(key, poll, now_);
  const bool parked_there = !task;
  for (; task; task = matching_.next_task(key)) {
    if (deliver(*task, key, poller)) return;
  }
  if (!parked_there) matching_.park_first(key, poll);
  Parked parked;
  parked.kind = type == QueueType::kWorkflow ? Parked::Kind::kWorkflowPoll : Parked::Kind::kActivityPoll;
  parked.deadline_ns = poll.deadline_ns;
  parked.call = std::move(poller.call);
  parked.identity = std::move(poller.identity);
  parked.worker_instance_key = std::move(poller.worker_instance_key);
  park(std::move(parked));
}

// A poll ran out of time, or its worker is shutting down.
void EngineCore::Impl::empty_poll(Parked& parked) {
  switch (parked.kind) {
    case Parked::Kind::kWorkflowPoll:
      return reply(parked.call, std::make_unique<ws::PollWorkflowTaskQueueResponse>());
    case Parked::Kind::kActivityPoll:
      return reply(parked.call, std::make_unique<ws::PollActivityTaskQueueResponse>());
    case Parked::Kind::kQuery:
      return reply(parked.call,
                   Status(Code::kDeadlineExceeded,
                          "No worker answered the query in time. Is a worker running that polls the "
                          "task queue of this workflow?"));
    case Parked::Kind::kHistory: {
      auto response = std::make_unique<ws::GetWorkflowExecutionHistoryResponse>();
      response->mutable_history();
      stored::HistoryToken token;
      token.set_run_id(parked.run.run_id);
      token.set_next_event_id(parked.history.next_event_id);
      token.set_waiting(true);
      response->set_next_page_token(history::serialize(token));
      return reply(parked.call, std::move(response));
    }
    case Parked::Kind::kUpdate: {
      if (Run* run = find(parked.run)) {
        answer_update(parked, *run, true);
        return;
      }
      return reply(parked.call, errors::already_completed());
    }
  }
}

bool EngineCore::Impl::deliver(const matching::Task& task, const QueueKey& queue, Poller& poller) {
  Run* run = find({task.namespace_id, task.workflow_id, task.run_id});
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

bool EngineCore::Impl::deliver_workflow_task(Run& run, Poller& poller) {
  Call& call = poller.call;
  const bool inside = call.options.in_process_workflow_worker;
  wt::start(
      *run.ms, options_.limits.execution, now_,
      {.identity = poller.identity, .request_id = new_id(), .holder_epoch = inside ? meta_.epoch() : 0});
  auto response = workflow_task_response(run, run.ms->s().workflow_task().sticky());
  response->set_backlog_count_hint(static_cast<std::int64_t>(matching_.backlog(
      {run.key.namespace_id, run.ms->s().workflow_task().task_queue(), QueueType::kWorkflow})));
  touch(run);
  if (!run.history_waiters.empty()) answer_history_waiters(run);
  if (!inside) {
    reply(call, std::move(response));
    return true;
  }
  // Law 3's exception: the worker is part of this process, and a workflow task is pure.
  run.early_out = true;
  ++early_out_;
  Release release;
  release.done = std::move(call.done);
  release.executor = call.options.executor;
  release.result = api::MessagePtr(std::move(response));
  release.method = call.method;
  early_.push_back(std::move(release));
  return true;
}

void EngineCore::Impl::task_came_back(Run& run) {
  if (!run.early_out) return;
  run.early_out = false;
  --early_out_;
}

std::unique_ptr<ws::PollWorkflowTaskQueueResponse> EngineCore::Impl::workflow_task_response(Run& run,
                                                                                            bool sticky) {
  MutableState& ms = *run.ms;
  const auto& state = ms.s();
  const auto& task = state.workflow_task();
  auto response = std::make_unique<ws::PollWorkflowTaskQueueResponse>();
  response->set_task_token(task_token(run));
  response->mutable_workflow_execution()->set_workflow_id(state.workflow_id());
  response->mutable_workflow_execution()->set_run_id(state.run_id());
  response->mutable_workflow_type()->set_name(state.workflow_type());
  response->set_previous_started_event_id(state.previous_started_event_id());
  response->set_started_event_id(task.started_event_id());
  response->set_attempt(task.attempt());
  response->mutable_workflow_execution_task_queue()->set_name(state.task_queue());
  response->mutable_workflow_execution_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  history::set_time(response->mutable_scheduled_time(), task.scheduled_ns());
  history::set_time(response->mutable_started_time(), task.started_ns());
  add_history(run, sticky ? state.previous_started_event_id() + 1 : 1, response.get());
  // A worker with the workflow in its cache has what was sent before; one that starts from the first event
  // has not.
  history::update::add_messages(ms, !sticky || task.attempt() > 1, response->mutable_messages());
  for (auto& [id, query] : run.queries) {
    if (query.state != Query::State::kBuffered) continue;
    query.state = Query::State::kWithTask;
    (*response->mutable_queries())[id] = query.query;
  }
  return response;
}

void EngineCore::Impl::add_history(Run& run, std::int64_t from, ws::PollWorkflowTaskQueueResponse* response) {
  const std::int64_t end = run.ms->s().next_event_id();
  History* events = response->mutable_history();
  const std::int64_t next = read_events(run, from, end, options_.limits.page_events, events);
  if (next < end) {
    stored::HistoryToken token;
    token.set_run_id(run.key.run_id);
    token.set_next_event_id(next);
    response->set_next_page_token(history::serialize(token));
    return;
  }
  wt::append_unwritten(*run.ms, events);
}

bool EngineCore::Impl::deliver_query(Run& run, const std::string& query_id, const QueueKey& queue,
                                     Call& call) {
  const auto found = run.queries.find(query_id);
  if (found == run.queries.end() || found->second.state != Query::State::kDirect) return false;
  const auto& state = run.ms->s();
  const bool sticky = queue.name != state.task_queue();
  auto response = std::make_unique<ws::PollWorkflowTaskQueueResponse>();
  stored::TaskToken token;
  token.set_namespace_id(run.key.namespace_id);
  token.set_workflow_id(run.key.workflow_id);
  token.set_run_id(run.key.run_id);
  token.set_query_id(query_id);
  token.set_epoch(meta_.epoch());
  response->set_task_token(history::serialize(token));
  response->mutable_workflow_execution()->set_workflow_id(state.workflow_id());
  response->mutable_workflow_execution()->set_run_id(state.run_id());
  response->mutable_workflow_type()->set_name(state.workflow_type());
  response->set_previous_started_event_id(state.previous_started_event_id());
  response->set_attempt(1);
  response->mutable_workflow_execution_task_queue()->set_name(state.task_queue());
  response->mutable_workflow_execution_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  history::set_time(response->mutable_scheduled_time(), now_);
  history::set_time(response->mutable_started_time(), now_);
  *response->mutable_query() = found->second.query;
  response->mutable_history();
  if (!sticky) add_history(run, 1, response.get());
  reply(call, std::move(response));
  return true;
}

std::unique_ptr<ws::PollActivityTaskQueueResponse> EngineCore::Impl::activity_response(
    Run& run, const stored::ActivityInfo& info) {
  auto response = std::make_unique<ws::PollActivityTaskQueueResponse>();
  const auto& state = run.ms->s();
  stored::TaskToken token;
  token.set_namespace_id(run.key.namespace_id);
  token.set_workflow_id(run.key.workflow_id);
  token.set_run_id(run.key.run_id);
  token.set_scheduled_event_id(info.scheduled_event_id());
  token.set_attempt(info.attempt());
  token.set_epoch(meta_.epoch());
  token.set_started_ns(info.started_ns());
  token.set_activity_id(info.activity_id());
  response->set_task_token(history::serialize(token));
  response->set_workflow_namespace(namespace_names_[run.key.namespace_id]);
  response->mutable_workflow_type()->set_name(state.workflow_type());
  response->mutable_workflow_execution()->set_workflow_id(state.workflow_id());
  response->mutable_workflow_execution()->set_run_id(state.run_id());
  response->mutable_activity_type()->set_name(info.activity_type());
  response->set_activity_id(info.activity_id());
  visit_event(run, info.scheduled_event_id(), [&response](const Event& event) {
    const auto& scheduled = event.activity_task_scheduled_event_attributes();
    if (scheduled.has_header()) *response->mutable_header() = scheduled.header();
    if (scheduled.has_input()) *response->mutable_input() = scheduled.input();
  });
  if (info.has_heartbeat_details()) *response->mutable_heartbeat_details() = info.heartbeat_details();
  history::set_time(response->mutable_scheduled_time(), info.scheduled_ns());
  history::set_time(response->mutable_current_attempt_scheduled_time(), info.attempt_scheduled_ns());
  history::set_time(response->mutable_started_time(), info.started_ns());
  response->set_attempt(info.attempt());
  history::set_duration(response->mutable_schedule_to_close_timeout(), info.schedule_to_close_ns());
  history::set_duration(response->mutable_start_to_close_timeout(), info.start_to_close_ns());
  history::set_duration(response->mutable_heartbeat_timeout(), info.heartbeat_ns());
  *response->mutable_retry_policy() = info.retry_policy();
  if (info.has_priority()) *response->mutable_priority() = info.priority();
  return response;
}

bool EngineCore::Impl::deliver_activity(Run& run, const matching::Task& task, Poller& poller) {
  auto* info = run.ms->activity(task.id);
  if (!run.ms->running() || info == nullptr || !history::activity::startable(*info, task.attempt))
    return false;
  history::activity::start(*run.ms, now_, info, poller.identity, new_id(),
                           poller.call.options.in_process_workflow_worker ? meta_.epoch() : 0);
  touch(run);
  reply(poller.call, activity_response(run, *info));
  return true;
}

}  // namespace holdfast::engine
