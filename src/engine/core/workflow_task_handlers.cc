#include "engine/workflow_task_handlers.h"

#include <algorithm>

#include "engine/core_clock.h"
#include "engine/errors.h"
#include "engine/history_reader.h"
#include "engine/namespaces.h"
#include "engine/new_ids.h"
#include "engine/options.h"
#include "engine/queries.h"
#include "engine/replies.h"
#include "engine/search_attributes.h"
#include "engine/task_dispatch.h"
#include "engine/task_responses.h"
#include "engine/task_tokens.h"
#include "engine/transitions.h"
#include "engine/unserved.h"
#include "history/activity.h"
#include "history/failures.h"
#include "history/lifecycle.h"
#include "history/update.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace wt = history::workflow_task;
using matching::QueueType;

namespace {

// The worker that completes a task keeps the run, or gives it up.
void take_sticky(MutableState& ms, const ws::RespondWorkflowTaskCompletedRequest& request) {
  const auto& sticky = request.sticky_attributes();
  wt::set_sticky(ms, sticky.worker_task_queue().name(), history::to_ns(sticky.schedule_to_start_timeout()));
}

// Its commands may close the run in a way that another one follows, with this one's input.
bool may_end(const ws::RespondWorkflowTaskCompletedRequest& request) {
  return std::any_of(request.commands().begin(), request.commands().end(), [](const auto& command) {
    return command.has_complete_workflow_execution_command_attributes() ||
           command.has_fail_workflow_execution_command_attributes();
  });
}

}  // namespace

Status WorkflowTaskHandlers::check_poll(const ws::PollWorkflowTaskQueueRequest& request) {
  return unserved::in_poll(request);
}

void WorkflowTaskHandlers::poll(Call& call, const ws::PollWorkflowTaskQueueRequest& request,
                                const stored::NamespaceRecord& record) {
  dispatch_.poll({.call = std::move(call),
                  .identity = request.identity(),
                  .worker_instance_key = request.worker_instance_key()},
                 record, request.task_queue().name(), QueueType::kWorkflow);
}

Result<Run*> WorkflowTaskHandlers::run_of(const std::string& bytes, const std::string& namespace_name,
                                          Status closed) const {
  stored::TaskToken token;
  auto found = tokens_.run_of(bytes, namespace_name, &token, errors::task_not_found());
  if (!found) return found;
  const MutableState& ms = *(*found)->ms;
  if (!ms.running()) return fail(std::move(closed));
  if (!TaskTokens::holds_workflow_task(**found, token)) return fail(errors::task_not_found());
  return found;
}

// A worker that only says it is alive may do so for so long.
void WorkflowTaskHandlers::end_heartbeats(Run& run, Call& call) {
  MutableState& ms = *run.ms;
  wt::time_out(ms, clock_.now(), enums::TIMEOUT_TYPE_START_TO_CLOSE);
  wt::clear_sticky(ms);
  queries_.task_ended(run);
  wt::schedule_again(ms, clock_.now());
  transitions_.finish(run);
  replies_.send(call, errors::not_found("workflow task heartbeat timeout"));
}

// Nothing happened: the task leaves no trace, and the worker goes back to where it was.
void WorkflowTaskHandlers::discard(Run& run, Call& call, ws::RespondWorkflowTaskCompletedRequest& request) {
  MutableState& ms = *run.ms;
  for (const auto& message : request.messages()) history::update::apply_message(ms, clock_.now(), message);
  history::update::reject_unanswered(ms);
  wt::discard(ms);
  if (request.has_sticky_attributes()) take_sticky(ms, request);
  auto response = std::make_unique<ws::RespondWorkflowTaskCompletedResponse>();
  response->set_reset_history_event_id(ms.s().previous_started_event_id());
  queries_.take_results(run, &request);
  transitions_.finish(run);
  queries_.dispatch_buffered(run);
  replies_.send(call, std::move(response));
}

// The transition was rolled back.
void WorkflowTaskHandlers::refuse_commands(Run& run, Call& call, const std::string& identity,
                                           const history::CommandError& wrong, std::int32_t attempt) {
  const bool unhandled = wrong.cause == enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
  // The worker is told what the history says: the cause by its name, and what is wrong.
  std::string message =
      wrong.invalid_request ? wrong.message : errors::task_failed(wrong.cause, wrong.message);
  // A transient task that fails again: nothing is written, its timeout does the waiting.
  const bool written = attempt <= 1 || unhandled;
  if (wrong.terminate && !wrong.invalid_request) {
    transitions_.terminate(run, wrong.message, nullptr, "history-service");
  } else if (written && !wrong.invalid_request) {
    transitions_.fail_workflow_task(run, wrong.cause, wrong.message, nullptr, identity);
    transitions_.finish(run);
  }
  replies_.send(call, errors::invalid(std::move(message)));
}

void WorkflowTaskHandlers::complete(MutableState& ms, const ws::RespondWorkflowTaskCompletedRequest& request,
                                    history::CommandContext& context) {
  context.completed_event_id = wt::complete(
      ms, clock_.now(),
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
void WorkflowTaskHandlers::start_eager(Run& run, const Call& call, const std::string& identity,
                                       const std::vector<std::int64_t>& eager,
                                       ws::RespondWorkflowTaskCompletedResponse* response) {
  MutableState& ms = *run.ms;
  for (std::int64_t id : eager) {
    auto* info = ms.running() ? ms.activity(id) : nullptr;
    if (info == nullptr || info->started_ns() != 0) continue;
    auto task = responses_.activity_input(run, id);
    if (!task) continue;
    auto& waiting = ms.effects().activities;
    waiting.erase(std::remove(waiting.begin(), waiting.end(), id), waiting.end());
    history::activity::start(ms, clock_.now(), info, identity, ids_.next(), tokens_.holder_epoch(call));
    *response->add_activity_tasks() = std::move(*responses_.activity(run, *info, std::move(task)));
  }
}

// What applying commands needs of the world around the run.
history::CommandContext WorkflowTaskHandlers::context_of(Run& run, const Completion& request) {
  auto holder = std::make_shared<Event>();
  return {
      .limits = limits_.execution,
      .now = clock_.now(),
      .identity = request.identity(),
      .namespace_name = namespaces_.name_of(run.key.namespace_id),
      .had_buffered = !run.ms->held().buffered_events.empty(),
      .new_id = [this] { return ids_.next(); },
      .first_event = reader_.first_event_of(run, holder),
      .namespace_id = [this](const std::string& name) -> std::optional<std::string> {
        const auto* record = namespaces_.find(name);
        return record == nullptr ? std::nullopt : std::optional(record->id());
      },
      .bad_search_attributes = [this](const std::string& name, pb::common::v1::SearchAttributes* attributes)
          -> std::optional<history::BadSearchAttributes> {
        const auto* record = namespaces_.find(name);
        if (record == nullptr) return std::nullopt;
        return bad_search_attributes(*record, limits_.execution, attributes);
      }};
}

void WorkflowTaskHandlers::completed(Call& call, ws::RespondWorkflowTaskCompletedRequest& request) {
  auto found = run_of(request.task_token(), request.namespace_(), errors::task_not_found());
  if (!found) return replies_.send(call, std::move(found.error()));
  if (Status wrong = unserved::in_completion(request); !wrong.ok())
    return replies_.send(call, std::move(wrong));
  Run& run = **found;
  MutableState& ms = *run.ms;
  const auto task = ms.s().workflow_task();
  dispatch_.task_came_back(run);
  const bool no_commands = request.commands().empty() && request.messages().empty();
  const bool heartbeat = request.force_create_new_workflow_task() && no_commands;
  if (heartbeat && task.original_scheduled_ns() + wt::kHeartbeatLimit <= clock_.now())
    return end_heartbeats(run, call);
  const bool only_rejections =
      std::all_of(request.messages().begin(), request.messages().end(),
                  [](const auto& message) { return history::update::is_rejection(message); });
  if (ms.speculative() && request.commands().empty() && only_rejections &&
      !request.force_create_new_workflow_task() &&
      request.capabilities().discard_speculative_workflow_task_with_events()) {
    return discard(run, call, request);
  }

  history::CommandContext context = context_of(run, request);
  if (may_end(request) && history::lifecycle::may_be_followed(ms.s()) && context.first_event() == nullptr) {
    // Its successor would begin without input; the task times out, until the data is restored.
    return replies_.send(call, errors::event_is_missing(run.key.run_id, 1));
  }
  ms.begin();
  complete(ms, request, context);
  if (auto wrong = history::apply_commands(ms, &request, context)) {
    ms.rollback();
    return refuse_commands(run, call, request.identity(), *wrong, task.attempt());
  }
  ms.keep();
  // A heartbeat says nothing about updates yet; those a closing task left open move on or end with the run.
  if (ms.running() && !request.force_create_new_workflow_task()) history::update::reject_unanswered(ms);
  const bool handed_over =
      schedule_next(run, call, request, context.had_buffered, heartbeat, task.original_scheduled_ns());
  auto response = std::make_unique<ws::RespondWorkflowTaskCompletedResponse>();
  start_eager(run, call, request.identity(), context.eager, response.get());
  queries_.take_results(run, &request);
  transitions_.finish(run);
  if (handed_over && ms.running() && ms.workflow_task_started()) {
    response->set_allocated_workflow_task(
        responses_.workflow_task(run, ms.s().workflow_task().sticky(), true).release());
  }
  queries_.dispatch_buffered(run);
  replies_.send(call, std::move(response));
}

// The task after this one, when there is news or the worker wants one. True: it goes back with the answer.
bool WorkflowTaskHandlers::schedule_next(Run& run, const Call& call,
                                         const ws::RespondWorkflowTaskCompletedRequest& request,
                                         bool had_buffered, bool heartbeat, Ns original_scheduled) {
  MutableState& ms = *run.ms;
  const bool hand_over = request.return_new_workflow_task() && request.force_create_new_workflow_task();
  // Not what was buffered before: a command may have taken the only news back.
  const bool wanted =
      request.force_create_new_workflow_task() || had_buffered || !ms.held().buffered_events.empty();
  if (!ms.running() || !wanted) return hand_over;
  ms.flush_buffered();
  wt::schedule(ms, clock_.now(),
               {.original_scheduled_ns = heartbeat ? original_scheduled : 0, .bypass_dispatch = hand_over});
  if (hand_over && ms.workflow_task_pending()) {
    wt::start(ms, limits_.execution, clock_.now(),
              {.identity = request.identity(),
               .request_id = ids_.next(),
               .holder_epoch = tokens_.holder_epoch(call)});
  }
  return hand_over;
}

void WorkflowTaskHandlers::failed(Call& call, const ws::RespondWorkflowTaskFailedRequest& request) {
  auto found = run_of(request.task_token(), request.namespace_(), errors::already_completed());
  if (!found) return replies_.send(call, std::move(found.error()));
  Run& run = **found;
  if (request.cause() == enums::WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE) {
    transitions_.terminate(run, "GRPC_MESSAGE_TOO_LARGE", nullptr, request.identity());
    return replies_.send(call, std::make_unique<ws::RespondWorkflowTaskFailedResponse>());
  }
  const history::Failure failure = history::bounded_failure(request.failure(), limits_.execution.blob_bytes);
  transitions_.fail_workflow_task(run, request.cause(), "", request.has_failure() ? &failure : nullptr,
                                  request.identity());
  transitions_.finish(run);
  replies_.send(call, std::make_unique<ws::RespondWorkflowTaskFailedResponse>());
}

}  // namespace holdfast::engine
