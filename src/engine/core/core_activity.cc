// Activities: polls, heartbeats, answers, by token and by id.

#include "engine/core_impl.h"
#include "history/activity.h"
#include "history/failures.h"

namespace holdfast::engine {

namespace activity = history::activity;
using pb::common::v1::Payloads;

void EngineCore::Impl::poll_activity(Call& call) {
  const auto& request = static_cast<const ws::PollActivityTaskQueueRequest&>(*call.request);
  const std::string namespace_name = request.namespace_();
  const auto queue = request.task_queue();
  const std::string identity = request.identity();
  const std::string key = request.worker_instance_key();
  poll(std::move(call), Parked::Kind::kActivityPoll, namespace_name, queue, identity, key);
}

Result<const stored::ActivityInfo*> EngineCore::Impl::activity_of_token(const std::string& bytes, Run** run) {
  stored::TaskToken token;
  auto found = run_of_token(bytes, &token, errors::activity_not_found());
  if (!found) return fail(std::move(found.error()));
  *run = *found;
  MutableState& ms = *(*found)->ms;
  if (!ms.running()) return fail(errors::already_completed());
  auto* info = ms.activity(token.scheduled_event_id());
  const bool current = info != nullptr && info->started_ns() != 0 && info->attempt() == token.attempt() &&
                       info->started_ns() == token.started_ns();
  if (current) return info;
  return fail(errors::activity_not_found());
}

Result<const stored::ActivityInfo*> EngineCore::Impl::activity_of_id(const std::string& name,
                                                                     const std::string& workflow_id,
                                                                     const std::string& run_id,
                                                                     const std::string& activity_id,
                                                                     Run** run) {
  const auto* record = namespace_by_name(name);
  if (record == nullptr) return fail(errors::namespace_not_found(name));
  if (activity_id.empty()) return fail(errors::invalid("ActivityID is not set on request."));
  pb::common::v1::WorkflowExecution execution;
  execution.set_workflow_id(workflow_id);
  execution.set_run_id(run_id);
  auto found = resolve(record->id(), execution);
  if (!found) return fail(std::move(found.error()));
  *run = *found;
  if (!(*run)->ms->running()) return fail(errors::already_completed());
  auto* info = (*run)->ms->activity_by_id(activity_id);
  if (info == nullptr) {
    return fail(errors::not_found("Cannot find pending activity with ActivityID " + activity_id + "."));
  }
  return info;
}

// Every answer of an activity comes by its task token or by its id; the two requests share all other fields.
// By id the activity may be one that nobody holds.
template <typename Request>
Result<const stored::ActivityInfo*> EngineCore::Impl::activity_of(const Request& request, Run** run) {
  if constexpr (requires { request.task_token(); }) {
    return activity_of_token(request.task_token(), run);
  } else {
    return activity_of_id(request.namespace_(), request.workflow_id(), request.run_id(),
                          request.activity_id(), run);
  }
}

template <typename Request>
Result<const stored::ActivityInfo*> EngineCore::Impl::started_activity_of(const Request& request, Run** run) {
  auto info = activity_of(request, run);
  if (info && (*info)->started_ns() == 0) return fail(errors::activity_not_found());
  return info;
}

namespace {

template <typename Request>
Payloads* details_of(Request& request) {
  return request.has_details() ? request.mutable_details() : nullptr;
}

bool too_large(const google::protobuf::Message& message, const history::Limits& limits) {
  return static_cast<std::int64_t>(message.ByteSizeLong()) > limits.blob_bytes;
}

}  // namespace

template <typename Request, typename Response>
void EngineCore::Impl::record_heartbeat(Call& call) {
  auto& request = static_cast<Request&>(*call.request);
  Run* run = nullptr;
  auto info = started_activity_of(request, &run);
  if (!info) return reply(call, std::move(info.error()));
  auto response = std::make_unique<Response>();
  if (too_large(request.details(), options_.limits.execution)) {
    // As Temporal does: a heartbeat nobody could store ends the attempt.
    activity::fail(*run->ms, options_.limits.execution, now_, *info,
                   history::server_failure("Heartbeat details exceed size limit.", true),
                   (*info)->identity());
    finish(*run);
    response->set_cancel_requested(true);
    return reply(call, std::move(response));
  }
  activity::heartbeat(*run->ms, now_, *info, details_of(request));
  touch(*run);
  response->set_cancel_requested((*info)->cancel_requested());
  reply(call, std::move(response));
}

template <typename Request, typename Response>
void EngineCore::Impl::complete_activity(Call& call) {
  auto& request = static_cast<Request&>(*call.request);
  Run* run = nullptr;
  const bool large = too_large(request.result(), options_.limits.execution);
  // A result that is too large is a failure, and only who holds the activity may fail it.
  auto info = large ? started_activity_of(request, &run) : activity_of(request, &run);
  if (!info) return reply(call, std::move(info.error()));
  if (large) {
    activity::fail(*run->ms, options_.limits.execution, now_, *info,
                   history::server_failure("Complete result exceeds size limit.", true), request.identity());
  } else {
    // Completed from outside while no attempt runs: the history shows one all the same.
    if ((*info)->started_ns() == 0) activity::start(*run->ms, now_, *info, request.identity(), "", 0);
    activity::complete(*run->ms, now_, *info, request.has_result() ? request.mutable_result() : nullptr,
                       request.identity());
  }
  finish(*run);
  reply(call, std::make_unique<Response>());
}

template <typename Request, typename Response>
void EngineCore::Impl::fail_activity(Call& call) {
  auto& request = static_cast<Request&>(*call.request);
  Run* run = nullptr;
  auto info = started_activity_of(request, &run);
  if (!info) return reply(call, std::move(info.error()));
  const auto& limits = options_.limits.execution;
  if (request.has_last_heartbeat_details() && !too_large(request.last_heartbeat_details(), limits)) {
    activity::keep_details(*run->ms, *info, request.mutable_last_heartbeat_details());
  }
  if (too_large(request.failure(), limits)) {
    activity::fail(*run->ms, limits, now_, *info, history::truncated(request.failure(), limits.failure_bytes),
                   request.identity());
  } else {
    activity::fail(*run->ms, limits, now_, *info, request.failure(), request.identity());
  }
  finish(*run);
  reply(call, std::make_unique<Response>());
}

template <typename Request, typename Response>
void EngineCore::Impl::cancel_activity(Call& call) {
  auto& request = static_cast<Request&>(*call.request);
  Run* run = nullptr;
  auto info = started_activity_of(request, &run);
  if (!info) return reply(call, std::move(info.error()));
  if (!activity::canceled(*run->ms, now_, *info, details_of(request), request.identity())) {
    return reply(call,
                 errors::invalid("Cancellation of this activity was not requested; complete or fail it."));
  }
  finish(*run);
  reply(call, std::make_unique<Response>());
}

void EngineCore::Impl::heartbeat(Call& call) {
  record_heartbeat<ws::RecordActivityTaskHeartbeatRequest, ws::RecordActivityTaskHeartbeatResponse>(call);
}

void EngineCore::Impl::heartbeat_by_id(Call& call) {
  record_heartbeat<ws::RecordActivityTaskHeartbeatByIdRequest, ws::RecordActivityTaskHeartbeatByIdResponse>(
      call);
}

void EngineCore::Impl::activity_completed(Call& call) {
  complete_activity<ws::RespondActivityTaskCompletedRequest, ws::RespondActivityTaskCompletedResponse>(call);
}

void EngineCore::Impl::activity_completed_by_id(Call& call) {
  complete_activity<ws::RespondActivityTaskCompletedByIdRequest,
                    ws::RespondActivityTaskCompletedByIdResponse>(call);
}

void EngineCore::Impl::activity_failed(Call& call) {
  fail_activity<ws::RespondActivityTaskFailedRequest, ws::RespondActivityTaskFailedResponse>(call);
}

void EngineCore::Impl::activity_failed_by_id(Call& call) {
  fail_activity<ws::RespondActivityTaskFailedByIdRequest, ws::RespondActivityTaskFailedByIdResponse>(call);
}

void EngineCore::Impl::activity_canceled(Call& call) {
  cancel_activity<ws::RespondActivityTaskCanceledRequest, ws::RespondActivityTaskCanceledResponse>(call);
}

void EngineCore::Impl::activity_canceled_by_id(Call& call) {
  cancel_activity<ws::RespondActivityTaskCanceledByIdRequest, ws::RespondActivityTaskCanceledByIdResponse>(
      call);
}

}  // namespace holdfast::engine
