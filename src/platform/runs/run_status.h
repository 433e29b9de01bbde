#pragma once

// RunStatus: how a run stands, in the words of the API. Values.

#include <cstdint>
#include <optional>
#include <string_view>

#include "holdfast/client.h"

namespace holdfast::runs {

enum class RunStatus : std::uint8_t {
  kQueued,  // the intent is stored, the engine has not confirmed the start
  kRunning,
  kCompleted,
  kFailed,
  kCanceled,
  kTerminated,
  kTimedOut,
};

// "timed_out"
std::string_view to_string(RunStatus status);
std::optional<RunStatus> run_status_by_name(std::string_view name);

inline bool is_closed(RunStatus status) {
  return status > RunStatus::kRunning;
}

// Of the workflow behind the run; one that goes on as its next run still runs.
RunStatus run_status(WorkflowStatus status);

}  // namespace holdfast::runs
