#pragma once

// Errors of the service, typed as Temporal's SDKs expect them (temporal.api.errordetails.v1). Pure functions.

#include <cstdint>
#include <string>

#include "api/messages.h"
#include "history/stored.h"
#include "holdfast/status.h"

namespace holdfast::engine::errors {

Status with_detail(Code code, std::string message, const google::protobuf::Message& detail);

Status invalid(std::string message);
Status not_found(std::string message);
Status execution_not_found(const std::string& workflow_id, const std::string& run_id);
Status already_completed();
Status task_not_found();
Status update_aborted();
Status activity_not_found();
Status namespace_not_found(const std::string& name);
Status namespace_exists(const std::string& name);
Status already_started(const std::string& workflow_id, const history::stored::CurrentRun& row,
                       enums::WorkflowIdReusePolicy reuse);
Status permission_denied(std::string message);
Status exhausted(std::string message, enums::ResourceExhaustedCause cause);
Status query_failed(std::string message, const pb::failure::v1::Failure* failure);
// What is said of a workflow task that failed: "BadSearchAttributes: ...", the cause as Temporal writes it.
std::string task_failed(enums::WorkflowTaskFailedCause cause, const std::string& message);
Status workflow_not_ready(std::string message);
// Without it a caller would page for ever.
// Stored bytes that cannot be read: of one run, or (without a run id) of who is current for a workflow id.
Status unreadable(const std::string& workflow_id, const std::string& run_id);
Status event_is_missing(const std::string& run_id, std::int64_t event_id);

}  // namespace holdfast::engine::errors
