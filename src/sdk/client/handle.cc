#include <algorithm>

#include <google/protobuf/util/json_util.h>

#include "client/client_impl.h"
#include "client/convert.h"
#include "client/failure_converter.h"
#include "holdfast/client.h"

namespace holdfast {
namespace {

using api::Method;

template <typename Request>
Request about(const Client::Impl& impl, const std::string& workflow_id, const std::string& run_id) {
  Request request;
  request.set_namespace_(impl.namespace_name);
  request.mutable_workflow_execution()->set_workflow_id(workflow_id);
  request.mutable_workflow_execution()->set_run_id(run_id);
  return request;
}

// How a run ended, and the run that goes on in its place.
struct Ending {
  Ending() = default;
  std::string next_run_id;
  std::optional<WorkflowClose> close;
};

Ending ending_of(const pb::history::v1::HistoryEvent& event) {
  Ending out;
  const auto closed = [&](WorkflowStatus status, Outcome<Payload> outcome) {
    out.close.emplace(status, std::move(outcome));
    out.close->time = client::from_proto(event.event_time());
  };
  switch (event.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
      const auto& attributes = event.workflow_execution_completed_event_attributes();
      out.next_run_id = attributes.new_execution_run_id();
      closed(WorkflowStatus::kCompleted, Outcome<Payload>(client::single(attributes.result())));
      break;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
      const auto& attributes = event.workflow_execution_failed_event_attributes();
      out.next_run_id = attributes.new_execution_run_id();
      closed(WorkflowStatus::kFailed, Outcome<Payload>(client::from_proto(attributes.failure())));
      break;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
      out.next_run_id = event.workflow_execution_timed_out_event_attributes().new_execution_run_id();
      closed(WorkflowStatus::kTimedOut,
             Outcome<Payload>(std::make_shared<TimeoutFailure>("the workflow took longer than its timeout",
                                                               TimeoutType::kStartToClose)));
      break;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
      closed(WorkflowStatus::kCanceled,
             Outcome<Payload>(std::make_shared<CanceledFailure>(
                 "the workflow was canceled",
                 client::from_proto(event.workflow_execution_canceled_event_attributes().details()))));
      break;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: {
      const auto& reason = event.workflow_execution_terminated_event_attributes().reason();
      closed(WorkflowStatus::kTerminated,
             Outcome<Payload>(std::make_shared<TerminatedFailure>(
                 reason.empty() ? "the workflow was terminated" : "the workflow was terminated: " + reason)));
      out.close->reason = reason;
      break;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
      out.next_run_id = event.workflow_execution_continued_as_new_event_attributes().new_execution_run_id();
      break;
    default: break;
  }
  return out;
}

ws::GetWorkflowExecutionHistoryRequest close_request(const Client::Impl& impl, const std::string& workflow_id,
                                                     const std::string& run_id, bool wait) {
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(impl.namespace_name);
  request.mutable_execution()->set_workflow_id(workflow_id);
  request.mutable_execution()->set_run_id(run_id);
  request.set_wait_new_event(wait);
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  request.set_skip_archival(true);
  return request;
}

// None: open, or another run goes on in its place.
std::optional<WorkflowClose> close_in(const ws::GetWorkflowExecutionHistoryResponse& answer) {
  const auto& events = answer.history().events();
  if (events.empty()) return std::nullopt;
  Ending ending = ending_of(events[events.size() - 1]);
  if (!ending.next_run_id.empty()) return std::nullopt;
  return std::move(ending.close);
}

ws::UpdateWorkflowExecutionRequest update_request(const Client::Impl& impl, const std::string& workflow_id,
                                                  const std::string& run_id, const std::string& name,
                                                  const UpdateOptions& options, UpdateStage stage,
                                                  std::vector<Payload> arguments) {
  auto request = about<ws::UpdateWorkflowExecutionRequest>(impl, workflow_id, run_id);
  auto* update = request.mutable_request();
  update->mutable_meta()->set_update_id(options.update_id().empty() ? impl.uuid() : options.update_id());
  update->mutable_meta()->set_identity(impl.identity);
  update->mutable_input()->set_name(name);
  client::set_payloads(std::move(arguments), update->mutable_input()->mutable_args());
  request.mutable_wait_policy()->set_lifecycle_stage(
      static_cast<enums::UpdateWorkflowExecutionLifecycleStage>(stage));
  return request;
}

}  // namespace

Result<Outcome<Payload>> WorkflowHandle::result_raw(std::optional<Duration> timeout) const {
  const Client::Impl& impl = *client_->impl_;
  const Clock& clock = impl.environment.clock();
  std::optional<MonotonicTime> end;
  if (timeout) end = clock.monotonic() + *timeout;

  auto request = close_request(impl, workflow_id_, run_id_, true);
  while (true) {
    Duration wait = Client::Impl::kLongPollTimeout;
    if (end) wait = std::min<Duration>(wait, *end - clock.monotonic());
    if (wait <= Duration::zero()) return fail(Code::kDeadlineExceeded, "the workflow has not ended yet");
    auto answer = impl.call<ws::GetWorkflowExecutionHistoryResponse>(Method::kGetWorkflowExecutionHistory,
                                                                     request, wait);
    if (!answer) {
      // A long poll that ran into its deadline: asked again, unless the caller's own time is up.
      if (answer.error().code() == Code::kDeadlineExceeded) continue;
      return fail(answer.error());
    }
    request.set_next_page_token((*answer)->next_page_token());
    const auto& events = (*answer)->history().events();
    if (events.empty()) continue;
    Ending ending = ending_of(events[events.size() - 1]);
    if (!ending.next_run_id.empty()) {
      request.mutable_execution()->set_run_id(ending.next_run_id);
      request.clear_next_page_token();
    } else if (ending.close) {
      return std::move(ending.close->outcome);
    }
  }
}

Status WorkflowHandle::signal_raw(const std::string& name, std::vector<Payload> arguments) const {
  const Client::Impl& impl = *client_->impl_;
  auto request = about<ws::SignalWorkflowExecutionRequest>(impl, workflow_id_, run_id_);
  request.set_signal_name(name);
  request.set_identity(impl.identity);
  request.set_request_id(impl.uuid());
  client::set_payloads(std::move(arguments), request.mutable_input());
  auto answer = impl.call<ws::SignalWorkflowExecutionResponse>(Method::kSignalWorkflowExecution, request);
  return answer ? Status() : answer.error();
}

Result<Payload> WorkflowHandle::query_raw(const std::string& name, std::vector<Payload> arguments) const {
  const Client::Impl& impl = *client_->impl_;
  ws::QueryWorkflowRequest request;
  request.set_namespace_(impl.namespace_name);
  request.mutable_execution()->set_workflow_id(workflow_id_);
  request.mutable_execution()->set_run_id(run_id_);
  request.mutable_query()->set_query_type(name);
  client::set_payloads(std::move(arguments), request.mutable_query()->mutable_query_args());
  auto answer = impl.call<ws::QueryWorkflowResponse>(Method::kQueryWorkflow, request);
  if (!answer) return fail(answer.error());
  if ((*answer)->has_query_rejected()) {
    return fail(Code::kFailedPrecondition, "the query was rejected because the workflow is closed");
  }
  return client::single((*answer)->query_result());
}

Result<UpdateHandle> WorkflowHandle::start_update_raw(const std::string& name, const UpdateOptions& options,
                                                      std::vector<Payload> arguments) const {
  const Client::Impl& impl = *client_->impl_;
  const auto request =
      update_request(impl, workflow_id_, run_id_, name, options, options.wait_for(), std::move(arguments));
  // Accepted is as durable as completed; from there on the handle polls.
  const auto enough = std::min(request.wait_policy().lifecycle_stage(),
                               enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED);
  while (true) {
    auto answer = impl.call<ws::UpdateWorkflowExecutionResponse>(Method::kUpdateWorkflowExecution, request,
                                                                 Client::Impl::kLongPollTimeout);
    if (!answer) {
      if (answer.error().code() == Code::kDeadlineExceeded) continue;
      return fail(answer.error());
    }
    auto outcome = client::update_outcome((*answer)->outcome());
    if (outcome || (*answer)->stage() >= enough) {
      const auto& ref = (*answer)->update_ref();
      UpdateHandle handle(*client_, workflow_id_, ref.workflow_execution().run_id(),
                          request.request().meta().update_id(), std::move(outcome));
      if (options.wait_for() != UpdateStage::kCompleted) return handle;
      auto waited = handle.wait_raw();
      if (!waited) return fail(waited.error());
      return UpdateHandle(*client_, workflow_id_, handle.run_id(), handle.update_id(), std::move(*waited));
    }
  }
}

Result<Outcome<Payload>> UpdateHandle::wait_raw() const {
  if (known_) return *known_;
  const Client::Impl& impl = *client_->impl_;
  ws::PollWorkflowExecutionUpdateRequest request;
  request.set_namespace_(impl.namespace_name);
  request.set_identity(impl.identity);
  auto* ref = request.mutable_update_ref();
  ref->set_update_id(update_id_);
  ref->mutable_workflow_execution()->set_workflow_id(workflow_id_);
  ref->mutable_workflow_execution()->set_run_id(run_id_);
  request.mutable_wait_policy()->set_lifecycle_stage(
      enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
  while (true) {
    auto answer = impl.call<ws::PollWorkflowExecutionUpdateResponse>(Method::kPollWorkflowExecutionUpdate,
                                                                     request, Client::Impl::kLongPollTimeout);
    if (!answer) {
      if (answer.error().code() == Code::kDeadlineExceeded) continue;
      return fail(answer.error());
    }
    if (auto outcome = client::update_outcome((*answer)->outcome())) return std::move(*outcome);
  }
}

void WorkflowHandle::update_async_raw(const std::string& name, const UpdateOptions& options,
                                      std::vector<Payload> arguments, UpdateDone done) const {
  auto request = std::make_unique<ws::UpdateWorkflowExecutionRequest>(update_request(
      *client_->impl_, workflow_id_, run_id_, name, options, UpdateStage::kCompleted, std::move(arguments)));
  client_->impl_->call_async<ws::UpdateWorkflowExecutionResponse>(
      Method::kUpdateWorkflowExecution, std::move(request), options.timeout(),
      [done = std::move(done)](Result<const ws::UpdateWorkflowExecutionResponse*> answer) mutable {
        if (!answer) return done(fail(answer.error()));
        auto outcome = client::update_outcome((*answer)->outcome());
        if (!outcome) return done(fail(Code::kDeadlineExceeded, "the update has not ended yet"));
        done(std::move(*outcome));
      });
}

Status WorkflowHandle::cancel(const std::string& reason, const std::string& request_id) const {
  const Client::Impl& impl = *client_->impl_;
  auto request = about<ws::RequestCancelWorkflowExecutionRequest>(impl, workflow_id_, run_id_);
  request.set_identity(impl.identity);
  request.set_request_id(request_id.empty() ? impl.uuid() : request_id);
  request.set_reason(reason);
  auto answer =
      impl.call<ws::RequestCancelWorkflowExecutionResponse>(Method::kRequestCancelWorkflowExecution, request);
  return answer ? Status() : answer.error();
}

Status WorkflowHandle::terminate(const std::string& reason) const {
  const Client::Impl& impl = *client_->impl_;
  auto request = about<ws::TerminateWorkflowExecutionRequest>(impl, workflow_id_, run_id_);
  request.set_identity(impl.identity);
  request.set_reason(reason);
  auto answer =
      impl.call<ws::TerminateWorkflowExecutionResponse>(Method::kTerminateWorkflowExecution, request);
  return answer ? Status() : answer.error();
}

Status WorkflowHandle::delete_history() const {
  const Client::Impl& impl = *client_->impl_;
  auto answer = impl.call<ws::DeleteWorkflowExecutionResponse>(
      Method::kDeleteWorkflowExecution,
      about<ws::DeleteWorkflowExecutionRequest>(impl, workflow_id_, run_id_));
  return answer ? Status() : answer.error();
}

Result<WorkflowDescription> WorkflowHandle::describe() const {
  const Client::Impl& impl = *client_->impl_;
  ws::DescribeWorkflowExecutionRequest request;
  request.set_namespace_(impl.namespace_name);
  request.mutable_execution()->set_workflow_id(workflow_id_);
  request.mutable_execution()->set_run_id(run_id_);
  auto answer = impl.call<ws::DescribeWorkflowExecutionResponse>(Method::kDescribeWorkflowExecution, request);
  if (!answer) return fail(answer.error());
  WorkflowDescription out = client::describe((*answer)->workflow_execution_info());
  if (out.task_queue.empty()) out.task_queue = (*answer)->execution_config().task_queue().name();
  for (const auto& pending : (*answer)->pending_activities()) {
    out.pending_activities.push_back(client::pending_activity(pending));
  }
  out.pending_children = static_cast<std::size_t>((*answer)->pending_children_size());
  return out;
}

Result<std::optional<WorkflowClose>> WorkflowHandle::find_close() const {
  const Client::Impl& impl = *client_->impl_;
  auto answer = impl.call<ws::GetWorkflowExecutionHistoryResponse>(
      Method::kGetWorkflowExecutionHistory, close_request(impl, workflow_id_, run_id_, false));
  if (!answer) return fail(answer.error());
  return close_in(**answer);
}

void WorkflowHandle::watch_close(Duration timeout, CloseDone done) const {
  const Client::Impl& impl = *client_->impl_;
  auto request = std::make_unique<ws::GetWorkflowExecutionHistoryRequest>(
      close_request(impl, workflow_id_, run_id_, true));
  impl.call_async<ws::GetWorkflowExecutionHistoryResponse>(
      Method::kGetWorkflowExecutionHistory, std::move(request), timeout,
      [done = std::move(done)](Result<const ws::GetWorkflowExecutionHistoryResponse*> answer) mutable {
        if (!answer) return done(fail(answer.error()));
        done(close_in(**answer));
      });
}

Result<std::string> WorkflowHandle::history_json() const {
  const Client::Impl& impl = *client_->impl_;
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(impl.namespace_name);
  request.mutable_execution()->set_workflow_id(workflow_id_);
  request.mutable_execution()->set_run_id(run_id_);
  pb::history::v1::History history;
  do {
    auto answer =
        impl.call<ws::GetWorkflowExecutionHistoryResponse>(Method::kGetWorkflowExecutionHistory, request);
    if (!answer) return fail(answer.error());
    history.MergeFrom((*answer)->history());
    request.set_next_page_token((*answer)->next_page_token());
  } while (!request.next_page_token().empty());
  std::string out;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  const auto status = google::protobuf::util::MessageToJsonString(history, &out, options);
  if (!status.ok())
    return fail(Code::kInternal, "the history cannot be written as JSON: " + status.ToString());
  return out;
}

}  // namespace holdfast
