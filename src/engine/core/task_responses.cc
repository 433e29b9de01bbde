#include "engine/task_responses.h"

#include "engine/history_reader.h"
#include "engine/namespaces.h"
#include "engine/options.h"
#include "engine/task_tokens.h"
#include "history/update.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace wt = history::workflow_task;

std::unique_ptr<ws::PollWorkflowTaskQueueResponse> TaskResponses::workflow_task(Run& run, bool sticky,
                                                                                bool knows_history) const {
  MutableState& ms = *run.ms;
  const auto& state = ms.s();
  const auto& task = state.workflow_task();
  auto response = std::make_unique<ws::PollWorkflowTaskQueueResponse>();
  response->set_task_token(tokens_.of_workflow_task(run));
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
  add_history(run, knows_history ? state.previous_started_event_id() + 1 : 1, response.get());
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

std::unique_ptr<ws::PollActivityTaskQueueResponse> TaskResponses::activity_input(
    const Run& run, std::int64_t scheduled_event_id) const {
  auto response = std::make_unique<ws::PollActivityTaskQueueResponse>();
  const bool read = reader_.visit(run, scheduled_event_id, [&response](const Event& event) {
    const auto& scheduled = event.activity_task_scheduled_event_attributes();
    if (scheduled.has_header()) *response->mutable_header() = scheduled.header();
    if (scheduled.has_input()) *response->mutable_input() = scheduled.input();
  });
  return read ? std::move(response) : nullptr;
}

std::unique_ptr<ws::PollActivityTaskQueueResponse> TaskResponses::activity(
    const Run& run, const stored::ActivityInfo& info,
    std::unique_ptr<ws::PollActivityTaskQueueResponse> response) const {
  const auto& state = run.ms->s();
  response->set_task_token(tokens_.of_activity(run, info));
  response->set_workflow_namespace(namespaces_.name_of(run.key.namespace_id));
  response->mutable_workflow_type()->set_name(state.workflow_type());
  response->mutable_workflow_execution()->set_workflow_id(state.workflow_id());
  response->mutable_workflow_execution()->set_run_id(state.run_id());
  response->mutable_activity_type()->set_name(info.activity_type());
  response->set_activity_id(info.activity_id());
  if (info.has_heartbeat_details()) *response->mutable_heartbeat_details() = info.heartbeat_details();
  history::set_time(response->mutable_scheduled_time(), info.scheduled_ns());
  history::set_time(response->mutable_current_attempt_scheduled_time(), info.attempt_scheduled_ns());
  history::set_time(response->mutable_started_time(), info.started_ns());
  response->set_attempt(info.attempt());
  history::set_duration(response->mutable_schedule_to_close_timeout(), info.schedule_to_close_ns());
  history::set_duration(response->mutable_start_to_close_timeout(), info.start_to_close_ns());
  history::set_duration(response->mutable_heartbeat_timeout(), info.heartbeat_ns());
  *response->mutable_retry_policy() = info.retry_policy();
  // What the command leaves open is the workflow's.
  if (state.has_priority()) *response->mutable_priority() = state.priority();
  if (info.has_priority()) response->mutable_priority()->MergeFrom(info.priority());
  return response;
}

std::unique_ptr<ws::PollWorkflowTaskQueueResponse> TaskResponses::query(
    const Run& run, const std::string& query_id, const pb::query::v1::WorkflowQuery& query,
    bool sticky) const {
  const auto& state = run.ms->s();
  auto response = std::make_unique<ws::PollWorkflowTaskQueueResponse>();
  response->set_task_token(tokens_.of_query(run, query_id));
  response->mutable_workflow_execution()->set_workflow_id(state.workflow_id());
  response->mutable_workflow_execution()->set_run_id(state.run_id());
  response->mutable_workflow_type()->set_name(state.workflow_type());
  response->set_previous_started_event_id(state.previous_started_event_id());
  response->set_attempt(1);
  response->mutable_workflow_execution_task_queue()->set_name(state.task_queue());
  response->mutable_workflow_execution_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  *response->mutable_query() = query;
  response->mutable_history();
  if (!sticky) add_history(run, 1, response.get());
  return response;
}

void TaskResponses::add_history(const Run& run, std::int64_t from,
                                ws::PollWorkflowTaskQueueResponse* response) const {
  const std::int64_t end = run.ms->s().next_event_id();
  History* events = response->mutable_history();
  const std::int64_t next = reader_.read(run, from, end, limits_.page_events, events);
  if (next < end) {
    stored::HistoryToken token;
    token.set_run_id(run.key.run_id);
    token.set_next_event_id(next);
    response->set_next_page_token(history::serialize(token));
    return;
  }
  wt::append_unwritten(*run.ms, events);
}

}  // namespace holdfast::engine
