#include "engine/errors.h"

#include "api/enum_name.h"

namespace holdfast::engine::errors {

namespace details = pb::errordetails::v1;

Status with_detail(Code code, std::string message, const google::protobuf::Message& detail) {
  return Status(code, std::move(message))
      .with_detail("type.googleapis.com/" + detail.GetDescriptor()->full_name(), detail.SerializeAsString());
}

Status invalid(std::string message) {
  return Status(Code::kInvalidArgument, std::move(message));
}

Status not_found(std::string message) {
  return with_detail(Code::kNotFound, std::move(message), details::NotFoundFailure());
}

Status execution_not_found(const std::string& workflow_id, const std::string& run_id) {
  if (run_id.empty()) return not_found("workflow not found for ID: " + workflow_id);
  return not_found("workflow execution not found for workflow ID \"" + workflow_id + "\" and run ID \"" +
                   run_id + "\"");
}

Status already_completed() {
  return not_found("workflow execution already completed");
}
Status task_not_found() {
  return not_found("Workflow task not found.");
}
Status update_aborted() {
  return not_found("workflow update was aborted by closing workflow");
}
Status activity_not_found() {
  return not_found("invalid activityID or activity already timed out or invoking workflow is completed");
}

Status namespace_not_found(const std::string& name) {
  if (name.empty()) return invalid("Namespace is empty.");
  details::NamespaceNotFoundFailure detail;
  detail.set_namespace_(name);
  return with_detail(Code::kNotFound, "Namespace " + name + " is not found.", detail);
}

Status namespace_exists(const std::string& name) {
  return with_detail(Code::kAlreadyExists, "Namespace \"" + name + "\" already exists",
                     details::NamespaceAlreadyExistsFailure());
}

// Clients tell the three cases apart by the words.
Status already_started(const std::string& workflow_id, const history::stored::CurrentRun& row,
                       enums::WorkflowIdReusePolicy reuse) {
  details::WorkflowExecutionAlreadyStartedFailure detail;
  detail.set_start_request_id(row.create_request_id());
  detail.set_run_id(row.run_id());
  detail.set_first_execution_run_id(row.first_run_id());
  const std::string ids = ". WorkflowId: " + workflow_id + ", RunId: " + row.run_id() + ".";
  std::string message = "Workflow execution is already running" + ids;
  if (row.status() != enums::WORKFLOW_EXECUTION_STATUS_RUNNING) {
    message = reuse == enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
                  ? "Workflow execution already finished" + ids +
                        " Workflow Id reuse policy: reject duplicate workflow Id."
                  : "Workflow execution already finished successfully" + ids +
                        " Workflow Id reuse policy: allow duplicate workflow Id if last run failed.";
  }
  return with_detail(Code::kAlreadyExists, std::move(message), detail);
}

Status permission_denied(std::string message) {
  return with_detail(Code::kPermissionDenied, std::move(message), details::PermissionDeniedFailure());
}

Status exhausted(std::string message, enums::ResourceExhaustedCause cause) {
  details::ResourceExhaustedFailure detail;
  detail.set_cause(cause);
  detail.set_scope(enums::RESOURCE_EXHAUSTED_SCOPE_NAMESPACE);
  return with_detail(Code::kResourceExhausted, std::move(message), detail);
}

Status query_failed(std::string message, const pb::failure::v1::Failure* failure) {
  details::QueryFailedFailure detail;
  if (failure != nullptr) *detail.mutable_failure() = *failure;
  return with_detail(Code::kInvalidArgument, std::move(message), detail);
}

std::string task_failed(enums::WorkflowTaskFailedCause cause, const std::string& message) {
  const std::string name =
      api::enum_name(*enums::WorkflowTaskFailedCause_descriptor(), cause, "WORKFLOW_TASK_FAILED_CAUSE_");
  return message.empty() || message == name ? name : name + ": " + message;
}

Status workflow_not_ready(std::string message) {
  return with_detail(Code::kFailedPrecondition, std::move(message), details::WorkflowNotReadyFailure());
}

Status unreadable(const std::string& workflow_id, const std::string& run_id) {
  const std::string what = run_id.empty() ? "the current run of workflow ID \"" + workflow_id + "\""
                                          : "run \"" + run_id + "\" of workflow ID \"" + workflow_id + "\"";
  return Status(Code::kDataLoss,
                "What is stored of " + what + " cannot be read; restore the data directory from a backup.");
}

Status event_is_missing(const std::string& run_id, std::int64_t event_id) {
  return Status(Code::kDataLoss, "The stored history of run " + run_id + " lacks event " +
                                     std::to_string(event_id) +
                                     "; restore the data directory from a backup.");
}

}  // namespace holdfast::engine::errors
