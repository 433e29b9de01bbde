#pragma once

// What a completed workflow task asks for, applied in order. Nothing is half done: the caller takes a
// snapshot first and rolls back on an error.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "history/mutable_state.h"

namespace holdfast::history {

// Why search attributes may not be set.
struct BadSearchAttributes {
  enum class Kind : std::uint8_t { kName, kValue, kSize } kind{};
  std::string message{};
};

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
  // Nothing: executions of that namespace may have them, and each now says its type. Null: there are no
  // rules.
  std::function<std::optional<BadSearchAttributes>(const std::string& namespace_name,
                                                   pb::common::v1::SearchAttributes* attributes)>
      bad_search_attributes{};

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
