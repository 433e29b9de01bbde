#include "runs/run_outcome.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::runs {

namespace {

// What a payload says as JSON text; bytes that are not JSON become a string.
std::string json_text(const Payload& payload) {
  if (is_null(payload)) return "null";
  if (!parse_json(payload.data).is_discarded()) return payload.data;
  return dump_json(nlohmann::json(payload.data));
}

}  // namespace

Reason reason_of(const Failure& failure) {
  const Failure* innermost = &failure;
  while (innermost->cause()) innermost = innermost->cause().get();
  Reason reason;
  reason.message = innermost->message().empty() ? failure.message() : innermost->message();
  if (const auto* application = dynamic_cast<const ApplicationFailure*>(innermost)) {
    reason.type = application->type();
  } else if (dynamic_cast<const TimeoutFailure*>(innermost)) {
    reason.type = "Timeout";
  } else if (dynamic_cast<const CanceledFailure*>(innermost)) {
    reason.type = "Canceled";
  } else if (dynamic_cast<const TerminatedFailure*>(innermost)) {
    reason.type = "Terminated";
  }
  return reason;
}

RunOutcome outcome_of(const WorkflowClose& close) {
  RunOutcome outcome;
  outcome.status = run_status(close.status);
  outcome.closed_at = close.time;
  switch (outcome.status) {
    case RunStatus::kCompleted: outcome.result = json_text(close.outcome.value()); break;
    case RunStatus::kCanceled:
      outcome.error_type = "Canceled";
      outcome.error_message = "the run was cancelled";
      break;
    case RunStatus::kTerminated:
      outcome.error_type = "Terminated";
      outcome.error_message =
          close.reason.empty() ? "the run was terminated" : "the run was terminated: " + close.reason;
      break;
    case RunStatus::kTimedOut:
      outcome.error_type = "Timeout";
      outcome.error_message = "the run exceeded its time limit";
      break;
    default: {
      Reason reason = reason_of(close.outcome.error());
      outcome.error_type = std::move(reason.type);
      outcome.error_message = std::move(reason.message);
    }
  }
  return outcome;
}

bool has_work_left(const RunOutcome& outcome) {
  if (outcome.status != RunStatus::kCompleted) return true;
  const auto result = parse_json<nlohmann::json>(outcome.result);
  const auto limit = result.find("max_iterations_reached");
  return limit != result.end() && limit->is_boolean() && limit->get<bool>();
}

}  // namespace holdfast::runs
