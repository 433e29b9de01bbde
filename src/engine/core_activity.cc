// Activities: polls, heartbeats, answers, by token and by id.

#include "engine/core_impl.h"
#include "history/activity.h"
#include "history/failures.h"

namespace holdfast::engine {

namespace activity = history::activity;
using pb::common::v1::Payloads;

void EngineCore::Impl::poll_activity(Call& call) {
  const auto& request = static_cast<const ws::PollActivityTaskQueueRequest&>(*call.request);
  const std::string name_of_space = request.namespace_();
  const auto queue = request.task_queue();
  const std::string identity = request.identity();
  const std::string key = request.worker_instance_key();
  poll(std::move(call), Parked::Kind::kActivityPoll, name_of_space, queue, identity, key);
}

Result<stored::ActivityInfo*> EngineCore::Impl::activity_of_token(const std::string& bytes, Run** run) {
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
  if (options_.bug == PlantedBug::kStaleTokenAccepted && info != nullptr && info->started_ns() != 0)
    return info;
  return fail(errors::activity_not_found());
}

Result<stored::ActivityInfo*> EngineCore::Impl::activity_of_id(const std::string& name,
                                                               const std::string& workflow_id,
                                                               const std::string& run_id,
                                                               const std::string& activity_id, Run** run) {
  const auto* record = name_space(name);
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
  if (info == nullptr || info->started_ns() == 0) {
    return fail(errors::not_found("Cannot find pending activity with ActivityID " + activity_id +
                                  ", or it is not running."));
  }
  return info;
}

template <typename Response>
void EngineCore::Impl::finish_heartbeat(Call& call, Run& run, stored::ActivityInfo* info, Payloads* details) {
  if (details != nullptr &&
      static_cast<std::int64_t>(details->ByteSizeLong()) > options_.limits.execution.blob_bytes) {
    // As Temporal does: a heartbeat nobody could store ends the attempt.
    activity::fail(*run.ms, options_.limits.execution, now_, info,
                   history::server_failure("Heartbeat details exceed size limit.", true), info->identity());
    finish(run);
    auto response = std::make_unique<Response>();
    response->set_cancel_requested(true);
    return reply(call, std::move(response));
  }
  activity::heartbeat(*run.ms, now_, info, details);
  touch(run);
  auto response = std::make_unique<Response>();
  response->set_cancel_requested(info->cancel_requested());
  reply(call, std::move(response));
}

void EngineCore::Impl::heartbeat(Call& call) {
  auto& request = static_cast<ws::RecordActivityTaskHeartbeatRequest&>(*call.request);
  Run* run = nullptr;
  auto info = activity_of_token(request.task_token(), &run);
  if (!info) return reply(call, std::move(info.error()));
  finish_heartbeat<ws::RecordActivityTaskHeartbeatResponse>(
      call, *run, *info, request.has_details() ? request.mutable_details() : nullptr);
}

void EngineCore::Impl::heartbeat_by_id(Call& call) {
  auto& request = static_cast<ws::RecordActivityTaskHeartbeatByIdRequest&>(*call.request);
  Run* run = nullptr;
  auto info = activity_of_id(request.namespace_(), request.workflow_id(), request.run_id(),
                             request.activity_id(), &run);
  if (!info) return reply(call, std::move(info.error()));
  finish_heartbeat<ws::RecordActivityTaskHeartbeatByIdResponse>(
      call, *run, *info, request.has_details() ? request.mutable_details() : nullptr);
}

namespace {

template <typename Request>
Payloads* result_of(Request& request) {
  return request.has_result() ? request.mutable_result() : nullptr;
}

template <typename Request>
Payloads* details_of(Request& request) {
  return request.has_details() ? request.mutable_details() : nullptr;
}

bool too_large(const google::protobuf::Message& message, const history::Limits& limits) {
  return static_cast<std::int64_t>(message.ByteSizeLong()) > limits.blob_bytes;
}

}  // namespace

void EngineCore::Impl::activity_completed(Call& call) {
  auto& request = static_cast<ws::RespondActivityTaskCompletedRequest&>(*call.request);
  Run* run = nullptr;
  auto info = activity_of_token(request.task_token(), &run);
  if (!info) return reply(call, std::move(info.error()));
  if (too_large(request.result(), options_.limits.execution)) {
    activity::fail(*run->ms, options_.limits.execution, now_, *info,
                   history::server_failure("Complete result exceeds size limit.", true), request.identity());
  } else {
    activity::complete(*run->ms, now_, *info, result_of(request), request.identity());
  }
  finish(*run);
  reply(call, std::make_unique<ws::RespondActivityTaskCompletedResponse>());
}

void EngineCore::Impl::activity_completed_by_id(Call& call) {
  auto& request = static_cast<ws::RespondActivityTaskCompletedByIdRequest&>(*call.request);
  Run* run = nullptr;
  auto info = activity_of_id(request.namespace_(), request.workflow_id(), request.run_id(),
                             request.activity_id(), &run);
  if (!info) return reply(call, std::move(info.error()));
  if (too_large(request.result(), options_.limits.execution)) {
    activity::fail(*run->ms, options_.limits.execution, now_, *info,
                   history::server_failure("Complete result exceeds size limit.", true), request.identity());
  } else {
    activity::complete(*run->ms, now_, *info, result_of(request), request.identity());
  }
  finish(*run);
  reply(call, std::make_unique<ws::RespondActivityTaskCompletedByIdResponse>());
}

namespace {

template <typename Request>
void fail_activity(MutableState& ms, const history::Limits& limits, Ns now, stored::ActivityInfo* info,
                   Request& request) {
  if (request.has_last_heartbeat_details() && !too_large(request.last_heartbeat_details(), limits)) {
    info->mutable_heartbeat_details()->Swap(request.mutable_last_heartbeat_details());
  }
  if (too_large(request.failure(), limits)) {
    activity::fail(ms, limits, now, info, history::truncated(request.failure(), limits.failure_bytes),
                   request.identity());
  } else {
    activity::fail(ms, limits, now, info, request.failure(), request.identity());
  }
}

}  // namespace

void EngineCore::Impl::activity_failed(Call& call) {
  auto& request = static_cast<ws::RespondActivityTaskFailedRequest&>(*call.request);
  Run* run = nullptr;
  auto info = activity_of_token(request.task_token(), &run);
  if (!info) return reply(call, std::move(info.error()));
  fail_activity(*run->ms, options_.limits.execution, now_, *info, request);
  finish(*run);
  reply(call, std::make_unique<ws::RespondActivityTaskFailedResponse>());
}

void EngineCore::Impl::activity_failed_by_id(Call& call) {
  auto& request = static_cast<ws::RespondActivityTaskFailedByIdRequest&>(*call.request);
  Run* run = nullptr;
  auto info = activity_of_id(request.namespace_(), request.workflow_id(), request.run_id(),
                             request.activity_id(), &run);
  if (!info) return reply(call, std::move(info.error()));
  fail_activity(*run->ms, options_.limits.execution, now_, *info, request);
  finish(*run);
  reply(call, std::make_unique<ws::RespondActivityTaskFailedByIdResponse>());
}

void EngineCore::Impl::activity_canceled(Call& call) {
  auto& request = static_cast<ws::RespondActivityTaskCanceledRequest&>(*call.request);
  Run* run = nullptr;
  auto info = activity_of_token(request.task_token(), &run);
  if (!info) return reply(call, std::move(info.error()));
  if (!activity::canceled(*run->ms, now_, *info, details_of(request), request.identity())) {
    return reply(call,
                 errors::invalid("Cancellation of this activity was not requested; complete or fail it."));
  }
  finish(*run);
  reply(call, std::make_unique<ws::RespondActivityTaskCanceledResponse>());
}

void EngineCore::Impl::activity_canceled_by_id(Call& call) {
  auto& request = static_cast<ws::RespondActivityTaskCanceledByIdRequest&>(*call.request);
  Run* run = nullptr;
  auto info = activity_of_id(request.namespace_(), request.workflow_id(), request.run_id(),
                             request.activity_id(), &run);
  if (!info) return reply(call, std::move(info.error()));
  if (!activity::canceled(*run->ms, now_, *info, details_of(request), request.identity())) {
    return reply(call,
                 errors::invalid("Cancellation of this activity was not requested; complete or fail it."));
  }
  finish(*run);
  reply(call, std::make_unique<ws::RespondActivityTaskCanceledByIdResponse>());
}

}  // namespace holdfast::engine
