#include "client/failure_converter.h"

#include <cstdlib>
#include <typeinfo>

#include <cxxabi.h>

#include "base/text.h"
#include "client/convert.h"

namespace holdfast::client {
namespace {

void set_application(const ApplicationFailure& from, pb::failure::v1::ApplicationFailureInfo* to) {
  to->set_type(to_utf8(from.type()));
  to->set_non_retryable(from.is_non_retryable());
  if (!from.details().empty()) set_payloads(from.details(), to->mutable_details());
  if (from.next_retry_delay()) set_duration(*from.next_retry_delay(), to->mutable_next_retry_delay());
}

void set_activity(const ActivityFailure& from, pb::failure::v1::ActivityFailureInfo* to) {
  to->mutable_activity_type()->set_name(from.activity_type());
  to->set_activity_id(from.activity_id());
  to->set_retry_state(static_cast<enums::RetryState>(from.retry_state()));
  to->set_identity(from.identity);
  to->set_scheduled_event_id(from.scheduled_event_id);
  to->set_started_event_id(from.started_event_id);
}

void set_child(const ChildWorkflowFailure& from, pb::failure::v1::ChildWorkflowExecutionFailureInfo* to) {
  to->set_namespace_(from.namespace_name);
  to->mutable_workflow_type()->set_name(from.workflow_type());
  to->mutable_workflow_execution()->set_workflow_id(from.workflow_id());
  to->mutable_workflow_execution()->set_run_id(from.run_id());
  to->set_retry_state(static_cast<enums::RetryState>(from.retry_state()));
  to->set_initiated_event_id(from.initiated_event_id);
  to->set_started_event_id(from.started_event_id);
}

void set_one(const Failure& from, pb::failure::v1::Failure* to) {
  // what() may be anything.
  to->set_message(to_utf8(from.message()));
  to->set_source(from.source().empty() ? kFailureSource : from.source());
  to->set_stack_trace(to_utf8(from.stack_trace()));
  if (const auto* application = dynamic_cast<const ApplicationFailure*>(&from)) {
    set_application(*application, to->mutable_application_failure_info());
  } else if (const auto* canceled = dynamic_cast<const CanceledFailure*>(&from)) {
    auto* info = to->mutable_canceled_failure_info();
    if (!canceled->details().empty()) set_payloads(canceled->details(), info->mutable_details());
  } else if (const auto* timeout = dynamic_cast<const TimeoutFailure*>(&from)) {
    auto* info = to->mutable_timeout_failure_info();
    info->set_timeout_type(static_cast<enums::TimeoutType>(timeout->timeout_type()));
    if (!timeout->last_heartbeat_details().empty()) {
      set_payloads(timeout->last_heartbeat_details(), info->mutable_last_heartbeat_details());
    }
  } else if (dynamic_cast<const TerminatedFailure*>(&from) != nullptr) {
    to->mutable_terminated_failure_info();
  } else if (const auto* server = dynamic_cast<const ServerFailure*>(&from)) {
    to->mutable_server_failure_info()->set_non_retryable(server->is_non_retryable());
  } else if (const auto* activity = dynamic_cast<const ActivityFailure*>(&from)) {
    set_activity(*activity, to->mutable_activity_failure_info());
  } else if (const auto* child = dynamic_cast<const ChildWorkflowFailure*>(&from)) {
    set_child(*child, to->mutable_child_workflow_execution_failure_info());
  }
}

std::shared_ptr<Failure> make(const pb::failure::v1::Failure& from, FailurePtr cause) {
  using Kind = pb::failure::v1::Failure::FailureInfoCase;
  switch (from.failure_info_case()) {
    case Kind::kApplicationFailureInfo: {
      const auto& info = from.application_failure_info();
      std::optional<Duration> delay;
      if (info.has_next_retry_delay()) delay = from_proto(info.next_retry_delay());
      return std::make_shared<ApplicationFailure>(from.message(), info.type(), info.non_retryable(),
                                                  from_proto(info.details()), delay, std::move(cause));
    }
    case Kind::kTimeoutFailureInfo: {
      const auto& info = from.timeout_failure_info();
      return std::make_shared<TimeoutFailure>(from.message(), static_cast<TimeoutType>(info.timeout_type()),
                                              from_proto(info.last_heartbeat_details()), std::move(cause));
    }
    case Kind::kCanceledFailureInfo:
      return std::make_shared<CanceledFailure>(
          from.message(), from_proto(from.canceled_failure_info().details()), std::move(cause));
    case Kind::kTerminatedFailureInfo:
      return std::make_shared<TerminatedFailure>(from.message(), std::move(cause));
    case Kind::kServerFailureInfo:
      return std::make_shared<ServerFailure>(from.message(), from.server_failure_info().non_retryable(),
                                             std::move(cause));
    case Kind::kActivityFailureInfo: {
      const auto& info = from.activity_failure_info();
      auto out =
          std::make_shared<ActivityFailure>(from.message(), info.activity_type().name(), info.activity_id(),
                                            static_cast<RetryState>(info.retry_state()), std::move(cause));
      out->identity = info.identity();
      out->scheduled_event_id = info.scheduled_event_id();
      out->started_event_id = info.started_event_id();
      return out;
    }
    case Kind::kChildWorkflowExecutionFailureInfo: {
      const auto& info = from.child_workflow_execution_failure_info();
      auto out = std::make_shared<ChildWorkflowFailure>(
          from.message(), info.workflow_type().name(), info.workflow_execution().workflow_id(),
          info.workflow_execution().run_id(), static_cast<RetryState>(info.retry_state()), std::move(cause));
      out->namespace_name = info.namespace_();
      out->initiated_event_id = info.initiated_event_id();
      out->started_event_id = info.started_event_id();
      return out;
    }
    default: return std::make_shared<ServerFailure>(from.message(), false, std::move(cause));
  }
}

FailurePtr convert(const pb::failure::v1::Failure& from, int depth) {
  FailurePtr cause;
  if (from.has_cause() && depth < kMaxFailureDepth) cause = convert(from.cause(), depth + 1);
  auto out = make(from, std::move(cause));
  out->set_origin(from.source(), from.stack_trace());
  return out;
}

}  // namespace

std::string exception_type(const std::exception& error) {
  int status = 0;
  char* name = abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status);
  std::string out = status == 0 ? name : typeid(error).name();
  std::free(name);
  return out;
}

void set_failure(const Failure& from, pb::failure::v1::Failure* to) {
  int depth = 0;
  for (const Failure* at = &from; at != nullptr && depth <= kMaxFailureDepth;
       at = at->cause().get(), ++depth) {
    set_one(*at, to);
    if (at->cause() && depth < kMaxFailureDepth) to = to->mutable_cause();
  }
}

FailurePtr from_proto(const pb::failure::v1::Failure& failure) {
  return convert(failure, 0);
}

}  // namespace holdfast::client
