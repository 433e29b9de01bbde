#pragma once

// What a completed workflow task asks for, applied in order. Nothing is half done: the caller takes a
// snapshot first and rolls back on an error.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "history/mutable_state.h"

namespace holdfast::history {

struct CommandContext {
  const Limits& limits;
  Ns now = 0;
  std::string identity;
  std::string namespace_name;
  std::int64_t completed_event_id = 0;
  // Events that came in while the task ran: the workflow may not close without seeing them.
  bool had_buffered = false;
  std::function<std::string()> new_id;
  std::function<const Event*()> first_event;
  // Nothing: no such namespace. An empty name is the execution's own.
  std::function<std::optional<std::string>(const std::string& name)> namespace_id;

  // Activities the worker would like to get with the answer.
  std::vector<std::int64_t> eager{};
};

struct CommandError {
  enums::WorkflowTaskFailedCause cause = enums::WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED;
  std::string message{};
  bool invalid_request = false;  // answer INVALID_ARGUMENT, change nothing, not even the task
  bool terminate = false;        // a payload beyond the limit: the execution is terminated
};

// `messages` not named by a command are applied behind the last one.
std::optional<CommandError> apply_commands(MutableState& ms, ws::RespondWorkflowTaskCompletedRequest* request,
                                           CommandContext& context);

}  // namespace holdfast::history
