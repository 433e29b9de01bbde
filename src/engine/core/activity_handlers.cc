#include "engine/activity_handlers.h"

#include <optional>

#include "engine/core_clock.h"
#include "engine/options.h"
#include "engine/replies.h"
#include "engine/run_cache.h"
#include "engine/task_dispatch.h"
#include "engine/task_tokens.h"
#include "engine/transitions.h"
#include "engine/unserved.h"
#include "history/activity.h"
#include "history/failures.h"

namespace holdfast::engine {

namespace activity = history::activity;
using pb::common::v1::Payloads;

Status ActivityHandlers::check_poll(const ws::PollActivityTaskQueueRequest& request) {
  // Not a number, neither: it compares with nothing.
  if (!(request.task_queue_metadata().max_tasks_per_second().value() >= 0))
    return errors::invalid("MaxTasksPerSecond can't be negative");
  return unserved::in_poll(request);
}

void ActivityHandlers::poll(Call& call, const ws::PollActivityTaskQueueRequest& request,
                            const stored::NamespaceRecord& record) {
  const auto& metadata = request.task_queue_metadata();
  dispatch_.poll({.call = std::move(call),
                  .identity = request.identity(),
                  .worker_instance_key = request.worker_instance_key(),
                  .tasks_per_second = metadata.has_max_tasks_per_second()
                                          ? std::optional(metadata.max_tasks_per_second().value())
                                          : std::nullopt},
                 record, request.task_queue().name(), matching::QueueType::kActivity);
}

// By its token, an activity is one that somebody holds.
Result<ActivityHandlers::Activity> ActivityHandlers::by_token(const std::string& bytes,
                                                              const std::string& namespace_name) const {
  stored::TaskToken token;
  auto found = tokens_.run_of(bytes, namespace_name, &token, errors::activity_not_found());
  if (!found) return fail(std::move(found.error()));
  Run& run = **found;
  if (!run.ms->running()) return fail(errors::already_completed());
  const auto* info = TaskTokens::held_activity(run, token);
  if (info == nullptr) return fail(errors::activity_not_found());
  return Activity{run, *info};
}

// By its id it may be one that nobody holds.
Result<ActivityHandlers::Activity> ActivityHandlers::by_id(Run& run, const std::string& activity_id) {
  if (!run.ms->running()) return fail(errors::already_completed());
  auto* info = run.ms->activity_by_id(activity_id);
  if (info == nullptr) {
    return fail(errors::not_found("cannot find pending activity with ActivityID " + activity_id +
                                  ", check workflow execution history for more details"));
  }
  return Activity{run, *info};
}

Result<ActivityHandlers::Activity> ActivityHandlers::started(Result<Activity> activity) {
  if (activity && activity->info.started_ns() == 0) return fail(errors::activity_not_found());
  return activity;
}

namespace {

template <typename Request>
Payloads* details_of(Request& request) {
  return request.has_details() ? request.mutable_details() : nullptr;
}

bool too_large(const google::protobuf::Message& message, const history::Limits& limits) {
  return static_cast<std::int64_t>(message.ByteSizeLong()) > limits.blob_bytes;
}

// With these details in place of those that the activity has, its run would hold too much of them.
bool too_much(const Payloads& details, const stored::ActivityInfo& info, const MutableState& ms,
              const history::Limits& limits) {
  const auto more = static_cast<std::int64_t>(details.ByteSizeLong()) -
                    static_cast<std::int64_t>(info.heartbeat_details().ByteSizeLong());
  return more > 0 && ms.heartbeat_details_bytes() + more > limits.heartbeat_details_bytes;
}

// Why details cannot be stored; nothing: they can. Those that only have no room beside others may have it
// next time.
std::optional<history::Failure> no_room(const Payloads& details, const stored::ActivityInfo& info,
                                        const MutableState& ms, const history::Limits& limits) {
  if (too_large(details, limits))
    return history::server_failure("Heartbeat details exceed size limit.", true);
  if (too_much(details, info, ms, limits))
    return history::server_failure("Heartbeat details of all activities exceed size limit.", false);
  return std::nullopt;
}

}  // namespace

template <typename Response, typename Request>
void ActivityHandlers::record_heartbeat(Call& call, Request& request, Result<Activity> found) {
  auto held = started(std::move(found));
  if (!held) return replies_.send(call, std::move(held.error()));
  auto& [run, info] = *held;
  auto response = std::make_unique<Response>();
  // As Temporal does: a heartbeat nobody could store ends the attempt.
  if (const auto why = no_room(request.details(), info, *run.ms, limits_.execution)) {
    activity::fail(*run.ms, limits_.execution, clock_.now(), &info, *why, info.identity());
    transitions_.finish(run);
    response->set_cancel_requested(true);
    return replies_.send(call, std::move(response));
  }
  activity::heartbeat(*run.ms, clock_.now(), &info, details_of(request));
  cache_.touch(run);
  response->set_cancel_requested(info.cancel_requested());
  replies_.send(call, std::move(response));
}

template <typename Response, typename Request>
void ActivityHandlers::complete(Call& call, Request& request, Result<Activity> found) {
  const bool large = too_large(request.result(), limits_.execution);
  // A result that is too large is a failure, and only who holds the activity may fail it.
  auto held = large ? started(std::move(found)) : std::move(found);
  if (!held) return replies_.send(call, std::move(held.error()));
  auto& [run, info] = *held;
  if (large) {
    activity::fail(*run.ms, limits_.execution, clock_.now(), &info,
                   history::server_failure("Complete result exceeds size limit.", true), request.identity());
  } else {
    // Completed from outside while no attempt runs: the history shows one all the same.
    if (info.started_ns() == 0) activity::start(*run.ms, clock_.now(), &info, request.identity(), "", 0);
    activity::complete(*run.ms, clock_.now(), &info,
                       request.has_result() ? request.mutable_result() : nullptr, request.identity());
  }
  transitions_.finish(run);
  replies_.send(call, std::make_unique<Response>());
}

template <typename Response, typename Request>
void ActivityHandlers::fail_attempt(Call& call, Request& request, Result<Activity> found) {
  auto held = started(std::move(found));
  if (!held) return replies_.send(call, std::move(held.error()));
  auto& [run, info] = *held;
  const auto& limits = limits_.execution;
  // What is not taken as it was sent, the worker is told.
  auto response = std::make_unique<Response>();
  if (request.has_last_heartbeat_details()) {
    auto why = no_room(request.last_heartbeat_details(), info, *run.ms, limits);
    if (why) {
      *response->add_failures() = std::move(*why);
    } else {
      activity::keep_details(*run.ms, &info, request.mutable_last_heartbeat_details());
    }
  }
  const history::Failure failure = history::bounded_failure(request.failure(), limits.blob_bytes);
  if (too_large(request.failure(), limits)) *response->add_failures() = failure;
  activity::fail(*run.ms, limits, clock_.now(), &info, failure, request.identity());
  transitions_.finish(run);
  replies_.send(call, std::move(response));
}

template <typename Response, typename Request>
void ActivityHandlers::cancel_attempt(Call& call, Request& request, Result<Activity> found) {
  auto held = started(std::move(found));
  if (!held) return replies_.send(call, std::move(held.error()));
  auto& [run, info] = *held;
  if (!activity::canceled(*run.ms, clock_.now(), &info, details_of(request), request.identity())) {
    return replies_.send(
        call,
        errors::invalid("unable to mark activity as canceled without activity being request canceled first"));
  }
  transitions_.finish(run);
  replies_.send(call, std::make_unique<Response>());
}

void ActivityHandlers::heartbeat(Call& call, ws::RecordActivityTaskHeartbeatRequest& request) {
  record_heartbeat<ws::RecordActivityTaskHeartbeatResponse>(
      call, request, by_token(request.task_token(), request.namespace_()));
}

void ActivityHandlers::heartbeat_by_id(Call& call, ws::RecordActivityTaskHeartbeatByIdRequest& request,
                                       const stored::NamespaceRecord&, Run& run) {
  record_heartbeat<ws::RecordActivityTaskHeartbeatByIdResponse>(call, request,
                                                                by_id(run, request.activity_id()));
}

void ActivityHandlers::completed(Call& call, ws::RespondActivityTaskCompletedRequest& request) {
  complete<ws::RespondActivityTaskCompletedResponse>(call, request,
                                                     by_token(request.task_token(), request.namespace_()));
}

void ActivityHandlers::completed_by_id(Call& call, ws::RespondActivityTaskCompletedByIdRequest& request,
                                       const stored::NamespaceRecord&, Run& run) {
  complete<ws::RespondActivityTaskCompletedByIdResponse>(call, request, by_id(run, request.activity_id()));
}

void ActivityHandlers::failed(Call& call, ws::RespondActivityTaskFailedRequest& request) {
  fail_attempt<ws::RespondActivityTaskFailedResponse>(call, request,
                                                      by_token(request.task_token(), request.namespace_()));
}

void ActivityHandlers::failed_by_id(Call& call, ws::RespondActivityTaskFailedByIdRequest& request,
                                    const stored::NamespaceRecord&, Run& run) {
  fail_attempt<ws::RespondActivityTaskFailedByIdResponse>(call, request, by_id(run, request.activity_id()));
}

void ActivityHandlers::canceled(Call& call, ws::RespondActivityTaskCanceledRequest& request) {
  cancel_attempt<ws::RespondActivityTaskCanceledResponse>(
      call, request, by_token(request.task_token(), request.namespace_()));
}

void ActivityHandlers::canceled_by_id(Call& call, ws::RespondActivityTaskCanceledByIdRequest& request,
                                      const stored::NamespaceRecord&, Run& run) {
  cancel_attempt<ws::RespondActivityTaskCanceledByIdResponse>(call, request,
                                                              by_id(run, request.activity_id()));
}

}  // namespace holdfast::engine
