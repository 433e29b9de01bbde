// Workflow tasks: polls, completions, failures.

#include <algorithm>

#include "base/check.h"
#include "engine/core_impl.h"
#include "history/activity.h"
#include "history/failures.h"
#include "history/lifecycle.h"
#include "history/update.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace wt = history::workflow_task;
namespace lifecycle = history::lifecycle;
using matching::QueueKey;
using matching::QueueType;

std::string EngineCore::Impl::task_token(const Run& run) const {
  const auto& task = run.ms->s().workflow_task();
  stored::TaskToken token;
  token.set_namespace_id(run.key.namespace_id);
  token.set_workflow_id(run.key.workflow_id);
  token.set_run_id(run.key.run_id);
  token.set_scheduled_event_id(task.scheduled_event_id());
  token.set_started_event_id(task.started_event_id());
  token.set_attempt(task.attempt());
  token.set_epoch(meta_.epoch());
  token.set_started_ns(task.started_ns());
  return history::serialize(token);
}

Result<Run*> EngineCore::Impl::run_of_token(const std::string& bytes, stored::TaskToken* token,
                                            Status missing) {
  if (bytes.empty()) return fail(errors::invalid("Task token not set on request."));
  if (!token->ParseFromString(bytes) || token->namespace_id().empty() || token->workflow_id().empty() ||
      token->run_id().empty()) {
    return fail(errors::invalid("Invalid TaskToken: it was not issued by this server."));
  }
  if (namespace_by_id(token->namespace_id()) == nullptr) {
    return fail(errors::invalid("Invalid TaskToken: its namespace does not exist here."));
  }
  Run* run = find({token->namespace_id(), token->workflow_id(), token->run_id()});
  if (run == nullptr) return fail(std::move(missing));
  return run;
}

Result<Run*> EngineCore::Impl::run_of_workflow_task(const std::string& bytes) {
  stored::TaskToken token;
  auto found = run_of_token(bytes, &token, errors::task_not_found());
  if (!found) return found;
  const MutableState& ms = *(*found)->ms;
  if (!ms.running()) return fail(errors::already_completed());
  const auto& task = ms.s().workflow_task();
  const bool same_attempt = task.attempt() == token.attempt() && task.started_ns() == token.started_ns();
  if (!ms.workflow_task_started() || task.scheduled_event_id() != token.scheduled_event_id() ||
      !same_attempt) {
    return fail(errors::task_not_found());
  }
  return found;
}

void EngineCore::Impl::poll_workflow_task(Call& call, const ws::PollWorkflowTaskQueueRequest& request,
                                          const stored::NamespaceRecord& record) {
  poll({.call = std::move(call),
        .identity = request.identity(),
        .worker_instance_key = request.worker_instance_key()},
       record, request.task_queue().name(), QueueType::kWorkflow);
}

void EngineCore::Impl::fail_workflow_task(Run& run, enums::WorkflowTaskFailedCause cause,
                                          const std::string& message, const pb::failure::v1::Failure* failure,
                                          const std::string& identity) {
  MutableState& ms = *run.ms;
  pb::failure::v1::Failure own;
  if (failure == nullptr) {
    const std::string name = enums::WorkflowTaskFailedCause_Name(cause);
    static constexpr std::string_view kPrefix = "WORKFLOW_TASK_FAILED_CAUSE_";
    own = history::server_failure(name.substr(kPrefix.size()) + ": " + message, true);
    failure = &own;
  }
  task_came_back(run);
  wt::fail(ms, now_, {.cause = cause, .failure = failure, .identity = identity});
  queries_at_end_of_task(run);
  wt::schedule_again(ms, now_);
}

// Queries that went out with a task that brought no answer wait for the next one.
void EngineCore::Impl::queries_at_end_of_task(Run& run) {
  for (auto& [id, query] : run.queries) {
    if (query.state == Query::State::kWithTask) query.state = Query::State::kBuffered;
  }
  if (!run.ms->running()) dispatch_buffered_queries(run);
}

// Before the end of the transition: it may close the run or hand out the next task, and both start their
// queries anew.
void EngineCore::Impl::answer_queries(Run& run, ws::RespondWorkflowTaskCompletedRequest* request) {
  for (auto& [id, result] : *request->mutable_query_results()) {
    const auto found = run.queries.find(id);
    if (found == run.queries.end() || found->second.state != Query::State::kWithTask) continue;
    if (result.result_type() == enums::QUERY_RESULT_TYPE_ANSWERED) {
      auto response = std::make_unique<ws::QueryWorkflowResponse>();
      response->mutable_query_result()->Swap(result.mutable_answer());
      end_query(run, id, api::MessagePtr(std::move(response)));
    } else {
      end_query(run, id,
                fail(errors::query_failed(result.error_message(),
                                          result.has_failure() ? &result.failure() : nullptr)));
    }
  }
  // The others of this task wait for the next. Not those of a task that is handed out after this one.
  for (auto& [id, query] : run.queries) {
    if (query.state == Query::State::kWithTask) query.state = Query::State::kBuffered;
  }
}

// Queries that no task takes along go alone.
void EngineCore::Impl::dispatch_buffered_queries(Run& run) {
  if (run.ms->running() && run.ms->workflow_task_pending()) return;
  std::vector<std::string> direct;
  for (auto& [id, query] : run.queries) {
    if (query.state == Query::State::kBuffered) direct.push_back(id);
  }
  for (const auto& id : direct) dispatch_query(run, id);
}

// The worker that completes a task keeps the run, or gives it up.
void EngineCore::Impl::take_sticky(MutableState& ms, const ws::RespondWorkflowTaskCompletedRequest& request) {
  const auto& sticky = request.sticky_attributes();
  wt::set_sticky(ms, sticky.worker_task_queue().name(), history::to_ns(sticky.schedule_to_start_timeout()));
}

// A worker that only says it is alive may do so for so long.
void EngineCore::Impl::end_heartbeats(Run& run, Call& call) {
  MutableState& ms = *run.ms;
  wt::time_out(ms, now_, enums::TIMEOUT_TYPE_START_TO_CLOSE);
  wt::clear_sticky(ms);
  queries_at_end_of_task(run);
  wt::schedule_again(ms, now_);
  finish(run);
  reply(call, errors::not_found("workflow task heartbeat timeout"));
}

// Nothing happened: the task leaves no trace, and the worker goes back to where it was.
void EngineCore::Impl::discard_workflow_task(Run& run, Call& call,
                                             ws::RespondWorkflowTaskCompletedRequest& request) {
  MutableState& ms = *run.ms;
  for (const auto& message : request.messages()) history::update::apply_message(ms, now_, message);
  history::update::reject_unanswered(ms);
  wt::discard(ms);
  if (request.has_sticky_attributes()) take_sticky(ms, request);
  auto response = std::make_unique<ws::RespondWorkflowTaskCompletedResponse>();
  response->set_reset_history_event_id(ms.s().previous_started_event_id());
  answer_queries(run, &request);
  finish(run);
  dispatch_buffered_queries(run);
  reply(call, std::move(response));
}

// The transition was rolled back.
void EngineCore::Impl::refuse_commands(Run& run, Call& call, const std::string& identity,
                                       const history::CommandError& wrong, std::int32_t attempt) {
  const bool unhandled = wrong.cause == enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
  // A transient task that fails again: nothing is written, its timeout does the waiting.
  const bool written = attempt <= 1 || unhandled;
  if (wrong.terminate && !wrong.invalid_request) {
    terminate_run(run, wrong.message, nullptr, "history-service");
  } else if (written && !wrong.invalid_request) {
    fail_workflow_task(run, wrong.cause, wrong.message, nullptr, identity);
    finish(run);
  }
  reply(call, errors::invalid(wrong.message));
}

void EngineCore::Impl::complete_workflow_task(MutableState& ms,
                                              const ws::RespondWorkflowTaskCompletedRequest& request,
                                              history::CommandContext& context) {
  context.completed_event_id = wt::complete(
      ms, now_,
      {.identity = request.identity(),
       .sdk_metadata = request.has_sdk_metadata() ? &request.sdk_metadata() : nullptr,
       .metering = request.has_metering_metadata() ? &request.metering_metadata() : nullptr,
       .worker_version = request.has_worker_version_stamp() ? &request.worker_version_stamp() : nullptr,
       .binary_checksum = request.binary_checksum()});
  if (request.sticky_attributes().worker_task_queue().name().empty()) {
    wt::clear_sticky(ms);
  } else {
    take_sticky(ms, request);
  }
}

// Eager activities go back with the answer.
void EngineCore::Impl::start_eager(Run& run, const Call& call, const std::string& identity,
                                   const std::vector<std::int64_t>& eager,
                                   ws::RespondWorkflowTaskCompletedResponse* response) {
  MutableState& ms = *run.ms;
  for (std::int64_t id : eager) {
    auto* info = ms.running() ? ms.activity(id) : nullptr;
    if (info == nullptr || info->started_ns() != 0) continue;
    auto& waiting = ms.effects().activities;
    waiting.erase(std::remove(waiting.begin(), waiting.end(), id), waiting.end());
    history::activity::start(ms, now_, info, identity, new_id(),
                             call.options.in_process_workflow_worker ? meta_.epoch() : 0);
    *response->add_activity_tasks() = std::move(*activity_response(run, *info));
  }
}

void EngineCore::Impl::workflow_task_completed(Call& call, ws::RespondWorkflowTaskCompletedRequest& request) {
  auto found = run_of_workflow_task(request.task_token());
  if (!found) return reply(call, std::move(found.error()));
  Run& run = **found;
  MutableState& ms = *run.ms;
  const auto task = ms.s().workflow_task();
  task_came_back(run);
  const bool no_commands = request.commands().empty() && request.messages().empty();
  const bool heartbeat = request.force_create_new_workflow_task() && no_commands;
  if (heartbeat && task.original_scheduled_ns() + wt::kHeartbeatLimit <= now_)
    return end_heartbeats(run, call);
  const bool only_rejections =
      std::all_of(request.messages().begin(), request.messages().end(),
                  [](const auto& message) { return history::update::is_rejection(message); });
  if (ms.speculative() && request.commands().empty() && only_rejections &&
      !request.force_create_new_workflow_task() &&
      request.capabilities().discard_speculative_workflow_task_with_events()) {
    return discard_workflow_task(run, call, request);
  }

  auto snapshot = ms.snapshot();
  auto holder = std::make_shared<Event>();
  history::CommandContext context{
      .limits = options_.limits.execution,
      .now = now_,
      .identity = request.identity(),
      .namespace_name = namespace_names_[run.key.namespace_id],
      .had_buffered = !ms.s().buffered_events().empty(),
      .new_id = [this] { return new_id(); },
      .first_event = first_event_of(run, holder),
      .namespace_id = [this](const std::string& name) -> std::optional<std::string> {
        const auto* record = namespace_by_name(name);
        return record == nullptr ? std::nullopt : std::optional(record->id());
      }};
  complete_workflow_task(ms, request, context);
  if (auto wrong = history::apply_commands(ms, &request, context)) {
    ms.rollback(std::move(snapshot));
    return refuse_commands(run, call, request.identity(), *wrong, task.attempt());
  }
  // A heartbeat says nothing about updates yet; those a closing task left open move on or end with the run.
  if (ms.running() && !request.force_create_new_workflow_task()) history::update::reject_unanswered(ms);
  const bool handed_over =
      schedule_next(run, call, request, context.had_buffered, heartbeat, task.original_scheduled_ns());
  auto response = std::make_unique<ws::RespondWorkflowTaskCompletedResponse>();
  start_eager(run, call, request.identity(), context.eager, response.get());
  answer_queries(run, &request);
  finish(run);
  if (handed_over && ms.running() && ms.workflow_task_started()) {
    response->set_allocated_workflow_task(
        workflow_task_response(run, ms.s().workflow_task().sticky()).release());
  }
  dispatch_buffered_queries(run);
  reply(call, std::move(response));
}

// The task after this one, when there is news or the worker wants one. True: it goes back with the answer.
bool EngineCore::Impl::schedule_next(Run& run, const Call& call,
                                     const ws::RespondWorkflowTaskCompletedRequest& request,
                                     bool had_buffered, bool heartbeat, Ns original_scheduled) {
  MutableState& ms = *run.ms;
  const bool hand_over = request.return_new_workflow_task() && request.force_create_new_workflow_task();
  // Not what was buffered before: a command may have taken the only news back.
  const bool wanted =
      request.force_create_new_workflow_task() || had_buffered || !ms.s().buffered_events().empty();
  if (!ms.running() || !wanted) return hand_over;
  ms.flush_buffered();
  wt::schedule(ms, now_,
               {.original_scheduled_ns = heartbeat ? original_scheduled : 0, .bypass_dispatch = hand_over});
  if (hand_over && ms.workflow_task_pending()) {
    wt::start(ms, options_.limits.execution, now_,
              {.identity = request.identity(),
               .request_id = new_id(),
               .holder_epoch = call.options.in_process_workflow_worker ? meta_.epoch() : 0});
  }
  return hand_over;
}

void EngineCore::Impl::workflow_task_failed(Call& call, const ws::RespondWorkflowTaskFailedRequest& request) {
  auto found = run_of_workflow_task(request.task_token());
  if (!found) return reply(call, std::move(found.error()));
  Run& run = **found;
  if (request.cause() == enums::WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE) {
    terminate_run(run, "GRPC_MESSAGE_TOO_LARGE", nullptr, request.identity());
    return reply(call, std::make_unique<ws::RespondWorkflowTaskFailedResponse>());
  }
  fail_workflow_task(run, request.cause(), "", request.has_failure() ? &request.failure() : nullptr,
                     request.identity());
  finish(run);
  reply(call, std::make_unique<ws::RespondWorkflowTaskFailedResponse>());
}

void EngineCore::Impl::reset_sticky(Call& call, const ws::ResetStickyTaskQueueRequest&,
                                    const stored::NamespaceRecord&, Run& run) {
  MutableState& ms = *run.ms;
  if (!ms.running()) return reply(call, errors::already_completed());
  if (!ms.s().sticky_queue().empty()) {
    wt::clear_sticky(ms);
    if (ms.workflow_task_pending() && !ms.workflow_task_started() && ms.s().workflow_task().sticky()) {
      wt::leave_sticky_queue(ms);
    }
    finish(run);
  }
  reply(call, std::make_unique<ws::ResetStickyTaskQueueResponse>());
}

// Nobody will poll the sticky queue again: what waits there goes to everyone. The name comes from the worker
// and may be any queue's: tasks that were never sticky keep their place.
void EngineCore::Impl::leave_queue(const QueueKey& sticky) {
  matching_.forget_pollers(sticky);
  // All of them first: one that comes back to this queue must not be met again.
  std::vector<matching::Task> waiting;
  while (auto task = matching_.next_task(sticky)) waiting.push_back(std::move(*task));
  const auto leaving = std::stable_partition(waiting.begin(), waiting.end(),
                                             [](const matching::Task& task) { return !task.sticky; });
  for (auto task = std::make_reverse_iterator(leaving); task != waiting.rend(); ++task) {
    matching_.return_task(sticky, std::move(*task));
  }
  for (auto task = leaving; task != waiting.end(); ++task) {
    Run* run = find({task->namespace_id, task->workflow_id, task->run_id});
    if (run == nullptr) continue;
    if (!task->query_id.empty()) {
      dispatch_query(*run, task->query_id);
    } else if (run->ms->s().task_stamp() == task->id) {
      dispatch_workflow_task(*run);
    }
  }
}

void EngineCore::Impl::shutdown_worker(Call& call, const ws::ShutdownWorkerRequest& request,
                                       const stored::NamespaceRecord& record) {
  for (CallId id : matching_.remove_polls_of_worker(record.id(), request.worker_instance_key())) {
    unpark(id, [this](Parked& parked) { empty_poll(parked); });
  }
  if (!request.sticky_task_queue().empty()) {
    leave_queue({record.id(), request.sticky_task_queue(), QueueType::kWorkflow});
  }
  reply(call, std::make_unique<ws::ShutdownWorkerResponse>());
}

void EngineCore::Impl::describe_task_queue(Call& call, const ws::DescribeTaskQueueRequest& request,
                                           const stored::NamespaceRecord& record) {
  if (request.task_queue().name().empty())
    return reply(call, errors::invalid("TaskQueue is not set on request."));
  const QueueKey key{record.id(), request.task_queue().name(),
                     request.task_queue_type() == enums::TASK_QUEUE_TYPE_ACTIVITY ? QueueType::kActivity
                                                                                  : QueueType::kWorkflow};
  auto response = std::make_unique<ws::DescribeTaskQueueResponse>();
  for (const auto& seen : matching_.pollers(key)) {
    if (seen.last_access_ns < now_ - 5 * history::kMinute) continue;
    auto& poller = *response->add_pollers();
    poller.set_identity(seen.identity);
    poller.set_rate_per_second(100000);
    history::set_time(poller.mutable_last_access_time(), seen.last_access_ns);
  }
  const auto backlog = static_cast<std::int64_t>(matching_.backlog(key));
  response->mutable_task_queue_status()->set_backlog_count_hint(backlog);
  auto& stats = *response->mutable_stats();
  stats.set_approximate_backlog_count(backlog);
  if (const Ns oldest = matching_.oldest_task_ns(key)) {
    history::set_duration(stats.mutable_approximate_backlog_age(), now_ - oldest);
  }
  reply(call, std::move(response));
}

}  // namespace holdfast::engine
