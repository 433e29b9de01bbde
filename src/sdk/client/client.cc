#include "holdfast/client.h"

#include <algorithm>
#include <array>

#include "base/ids.h"
#include "client/client_impl.h"
#include "client/convert.h"
#include "client/failure_converter.h"

namespace holdfast {
namespace client {

bool is_too_large(const Status& error) {
  // gRPC has one code for this and for a server that is busy. Its texts: "message larger than max" in C++ and
  // Go, "message exceeds maximum size" in Java.
  return error.code() == Code::kResourceExhausted &&
         (error.message().find("message larger than max") != std::string::npos ||
          error.message().find("message exceeds maximum size") != std::string::npos);
}

bool is_transient(const Status& error) {
  if (is_too_large(error)) return false;
  const Code code = error.code();
  return code == Code::kUnavailable || code == Code::kResourceExhausted || code == Code::kAborted;
}

Result<api::MessagePtr> call_raw(api::Connection& connection, const Clock& clock, api::Method method,
                                 const google::protobuf::Message& request, MonotonicTime deadline,
                                 Repeats repeats) {
  // Shared with the completion, which may still be running when the waiter has seen the result and returned.
  struct Wait {
    std::mutex mutex;
    std::condition_variable wake;
    std::optional<Result<api::MessagePtr>> result;
  };
  auto pause = std::chrono::milliseconds(50);
  while (true) {
    auto wait = std::make_shared<Wait>();
    api::MessagePtr copy(request.New());
    copy->MergeFrom(request);  // CopyFrom would first walk both, whether one is within the other
    api::CallOptions options;
    options.deadline = deadline;
    auto handle = connection.start(method, std::move(copy), options, [wait](Result<api::MessagePtr> result) {
      std::lock_guard lock(wait->mutex);
      wait->result.emplace(std::move(result));
      wait->wake.notify_one();
    });
    std::unique_lock lock(wait->mutex);
    wait->wake.wait(lock, [&] { return wait->result.has_value(); });
    if (*wait->result || repeats == Repeats::kNo || !is_transient(wait->result->error())) {
      return std::move(*wait->result);
    }
    if (clock.monotonic() + pause >= deadline) return std::move(*wait->result);
    wait->wake.wait_for(lock, pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(1000));
  }
}

std::optional<Outcome<Payload>> update_outcome(const pb::update::v1::Outcome& outcome) {
  if (outcome.has_success()) return Outcome<Payload>(single(outcome.success()));
  if (outcome.has_failure()) return Outcome<Payload>(from_proto(outcome.failure()));
  return std::nullopt;
}

PendingActivity pending_activity(const pb::workflow::v1::PendingActivityInfo& info) {
  PendingActivity out;
  out.activity_id = info.activity_id();
  out.activity_type = info.activity_type().name();
  out.attempt = std::max(1, info.attempt());
  if (info.has_last_failure()) out.last_failure = from_proto(info.last_failure());
  if (info.state() == enums::PENDING_ACTIVITY_STATE_SCHEDULED && info.attempt() > 1) {
    out.next_attempt_at = from_proto(info.scheduled_time());
  }
  return out;
}

WorkflowDescription describe(const pb::workflow::v1::WorkflowExecutionInfo& info) {
  WorkflowDescription out;
  out.workflow_id = info.execution().workflow_id();
  out.run_id = info.execution().run_id();
  out.workflow_type = info.type().name();
  out.task_queue = info.task_queue();
  out.status = static_cast<WorkflowStatus>(info.status());
  out.start_time = from_proto(info.start_time());
  if (info.has_close_time()) out.close_time = from_proto(info.close_time());
  out.history_length = info.history_length();
  out.parent_workflow_id = info.parent_execution().workflow_id();
  out.parent_run_id = info.parent_execution().run_id();
  out.memo = from_proto(info.memo().fields());
  out.search_attributes = from_proto(info.search_attributes().indexed_fields());
  return out;
}

}  // namespace client

HOLDFAST_PUBLIC std::string_view workflow_status_name(WorkflowStatus status) {
  static constexpr std::array<std::string_view, 9> kNames = {"Unspecified",    "Running",  "Completed",
                                                             "Failed",         "Canceled", "Terminated",
                                                             "ContinuedAsNew", "TimedOut", "Paused"};
  const auto index = static_cast<std::size_t>(status);
  return index < kNames.size() ? kNames[index] : "Unknown";
}

Client::Impl::Impl(Connection server_in, const ClientOptions& options)
    : server(std::move(server_in)),
      connection(server.engine()),
      environment(server.environment()),
      namespace_name(options.namespace_name().empty() ? server.namespace_name() : options.namespace_name()),
      identity(options.identity()),
      repeats(options.fail_fast() ? client::Repeats::kNo : client::Repeats::kYes),
      callbacks_(options.callbacks()) {
  if (identity.empty()) identity = "holdfast-client-" + uuid().substr(0, 8);
}

std::string Client::Impl::uuid() const {
  return new_uuid(environment.random());
}

client::AsyncCalls& Client::Impl::calls() const {
  std::call_once(calls_made_, [this] {
    if (callbacks_ == nullptr) own_callbacks_ = environment.new_executor("client-callbacks");
    calls_ = std::make_unique<client::AsyncCalls>(connection, callbacks_ ? *callbacks_ : *own_callbacks_);
  });
  return *calls_;
}

Client::Client(Connection server, const ClientOptions& options)
    : impl_(std::make_unique<Impl>(std::move(server), options)) {}

Client::Client(api::Connection& connection, const Environment& environment, const ClientOptions& options)
    : Client(Connection(connection, environment), options) {}

Client::~Client() = default;

void Client::close() {
  impl_->calls().close();
}

Result<std::string> Client::server_version() const {
  auto answer =
      impl_->call<ws::GetSystemInfoResponse>(api::Method::kGetSystemInfo, ws::GetSystemInfoRequest());
  if (!answer) return fail(answer.error());
  return (*answer)->server_version();
}

const std::string& Client::namespace_name() const {
  return impl_->namespace_name;
}
api::Connection& Client::connection() const {
  return impl_->connection;
}

namespace {

// The fields that both start requests share.
template <typename Request>
Status fill_start(const std::string& namespace_name, const std::string& identity, const std::string& uuid,
                  const std::string& type, const StartOptions& options, std::vector<Payload> arguments,
                  Request* request) {
  if (options.task_queue().empty()) {
    return Status(Code::kInvalidArgument, "a start needs a task queue: StartOptions(id, task_queue)");
  }
  using client::set_duration;
  request->set_namespace_(namespace_name);
  request->set_workflow_id(options.workflow_id().empty() ? uuid : options.workflow_id());
  request->mutable_workflow_type()->set_name(type);
  request->mutable_task_queue()->set_name(options.task_queue());
  client::set_payloads(std::move(arguments), request->mutable_input());
  request->set_identity(identity);
  request->set_request_id(options.request_id().empty() ? uuid : options.request_id());
  if (options.execution_timeout()) {
    set_duration(*options.execution_timeout(), request->mutable_workflow_execution_timeout());
  }
  if (options.run_timeout()) set_duration(*options.run_timeout(), request->mutable_workflow_run_timeout());
  if (options.task_timeout()) set_duration(*options.task_timeout(), request->mutable_workflow_task_timeout());
  if (options.start_delay()) set_duration(*options.start_delay(), request->mutable_workflow_start_delay());
  if (options.retry()) client::set_retry_policy(*options.retry(), request->mutable_retry_policy());
  request->set_cron_schedule(options.cron_schedule());
  request->set_workflow_id_reuse_policy(static_cast<enums::WorkflowIdReusePolicy>(options.id_reuse()));
  request->set_workflow_id_conflict_policy(
      static_cast<enums::WorkflowIdConflictPolicy>(options.id_conflict()));
  if (!options.memo().empty()) client::set_map(options.memo(), request->mutable_memo()->mutable_fields());
  if (!options.search_attributes().empty()) {
    client::set_map(options.search_attributes().values(),
                    request->mutable_search_attributes()->mutable_indexed_fields());
  }
  return Status();
}

}  // namespace

Result<WorkflowHandle> Client::start_raw(const std::string& type, const StartOptions& options,
                                         std::vector<Payload> arguments) const {
  ws::StartWorkflowExecutionRequest request;
  const Status filled = fill_start(impl_->namespace_name, impl_->identity, impl_->uuid(), type, options,
                                   std::move(arguments), &request);
  if (!filled.ok()) return fail(filled);
  auto answer =
      impl_->call<ws::StartWorkflowExecutionResponse>(api::Method::kStartWorkflowExecution, request);
  if (!answer) return fail(answer.error());
  return WorkflowHandle(*this, request.workflow_id(), (*answer)->run_id());
}

Result<WorkflowHandle> Client::signal_with_start(const std::string& type, const StartOptions& options,
                                                 std::vector<Payload> arguments, const std::string& signal,
                                                 std::vector<Payload> signal_arguments) const {
  ws::SignalWithStartWorkflowExecutionRequest request;
  const Status filled = fill_start(impl_->namespace_name, impl_->identity, impl_->uuid(), type, options,
                                   std::move(arguments), &request);
  if (!filled.ok()) return fail(filled);
  if (options.id_conflict() == IdConflictPolicy::kFail) {
    request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
  }
  request.set_signal_name(signal);
  client::set_payloads(std::move(signal_arguments), request.mutable_signal_input());
  auto answer = impl_->call<ws::SignalWithStartWorkflowExecutionResponse>(
      api::Method::kSignalWithStartWorkflowExecution, request);
  if (!answer) return fail(answer.error());
  return WorkflowHandle(*this, request.workflow_id(), (*answer)->run_id());
}

Result<WorkflowPage> Client::list(const std::string& query, std::size_t page_size,
                                  const std::string& page_token) const {
  ws::ListWorkflowExecutionsRequest request;
  request.set_namespace_(impl_->namespace_name);
  request.set_query(query);
  request.set_page_size(static_cast<std::int32_t>(page_size));
  request.set_next_page_token(page_token);
  auto answer =
      impl_->call<ws::ListWorkflowExecutionsResponse>(api::Method::kListWorkflowExecutions, request);
  if (!answer) return fail(answer.error());
  WorkflowPage page;
  for (const auto& each : (*answer)->executions()) page.workflows.push_back(client::describe(each));
  page.next_page_token = (*answer)->next_page_token();
  return page;
}

Status Client::complete_activity_raw(const std::string& task_token, Payload result) const {
  ws::RespondActivityTaskCompletedRequest request;
  request.set_task_token(task_token);
  request.set_namespace_(impl_->namespace_name);
  request.set_identity(impl_->identity);
  *request.mutable_result()->add_payloads() = client::to_proto(std::move(result));
  auto answer = impl_->call<ws::RespondActivityTaskCompletedResponse>(
      api::Method::kRespondActivityTaskCompleted, request);
  return answer ? Status() : answer.error();
}

Status Client::fail_activity(const std::string& task_token, const Failure& failure) const {
  ws::RespondActivityTaskFailedRequest request;
  request.set_task_token(task_token);
  request.set_namespace_(impl_->namespace_name);
  request.set_identity(impl_->identity);
  client::set_failure(failure, request.mutable_failure());
  auto answer =
      impl_->call<ws::RespondActivityTaskFailedResponse>(api::Method::kRespondActivityTaskFailed, request);
  return answer ? Status() : answer.error();
}

Status Client::cancel_activity(const std::string& task_token) const {
  ws::RespondActivityTaskCanceledRequest request;
  request.set_task_token(task_token);
  request.set_namespace_(impl_->namespace_name);
  request.set_identity(impl_->identity);
  auto answer = impl_->call<ws::RespondActivityTaskCanceledResponse>(
      api::Method::kRespondActivityTaskCanceled, request);
  return answer ? Status() : answer.error();
}

Result<bool> Client::heartbeat_activity(const std::string& task_token, std::vector<Payload> details) const {
  ws::RecordActivityTaskHeartbeatRequest request;
  request.set_task_token(task_token);
  request.set_namespace_(impl_->namespace_name);
  request.set_identity(impl_->identity);
  client::set_payloads(std::move(details), request.mutable_details());
  auto answer = impl_->call<ws::RecordActivityTaskHeartbeatResponse>(
      api::Method::kRecordActivityTaskHeartbeat, request);
  if (!answer) return fail(answer.error());
  return (*answer)->cancel_requested();
}

}  // namespace holdfast
