#include "runs/run_status.h"

#include "protocol/words.h"

namespace holdfast::runs {

namespace {

using protocol::Word;

constexpr protocol::Words kStatuses(
    "status of a run", {Word{RunStatus::kQueued, "queued"}, Word{RunStatus::kRunning, "running"},
                        Word{RunStatus::kCompleted, "completed"}, Word{RunStatus::kFailed, "failed"},
                        Word{RunStatus::kCanceled, "canceled"}, Word{RunStatus::kTerminated, "terminated"},
                        Word{RunStatus::kTimedOut, "timed_out"}});

}  // namespace

std::string_view to_string(RunStatus status) {
  return kStatuses.text(status);
}

std::optional<RunStatus> run_status_by_name(std::string_view name) {
  return kStatuses.find(name);
}

RunStatus run_status(WorkflowStatus status) {
  switch (status) {
    case WorkflowStatus::kCompleted: return RunStatus::kCompleted;
    case WorkflowStatus::kFailed: return RunStatus::kFailed;
    case WorkflowStatus::kCanceled: return RunStatus::kCanceled;
    case WorkflowStatus::kTerminated: return RunStatus::kTerminated;
    case WorkflowStatus::kTimedOut: return RunStatus::kTimedOut;
    default: return RunStatus::kRunning;
  }
}

}  // namespace holdfast::runs
