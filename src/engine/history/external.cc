#include "history/external.h"

#include "base/transition.h"
#include "history/workflow_task.h"

namespace holdfast::history {
namespace {

enum class State : std::uint8_t { kInitiated, kClosed };
enum class On : std::uint8_t { kDone, kFailed };

constexpr Transition<State, On> kRows[] = {
    {State::kInitiated, On::kDone, State::kClosed},
    {State::kInitiated, On::kFailed, State::kClosed},
};
const TransitionTable kTable("external request", rows(State::kInitiated, kRows));

// No entry: the request was answered.
template <typename Info>
bool may(const Info* info, On on) {
  return kTable.next(info != nullptr ? State::kInitiated : State::kClosed, on).has_value();
}

// What the four answers repeat of their request, as far as each has the field.
template <typename Initiated, typename Answer>
void answer(const Event& initiated, const Initiated& from, Answer* to) {
  to->set_initiated_event_id(initiated.event_id());
  to->set_namespace_(from.namespace_());
  to->set_namespace_id(from.namespace_id());
  *to->mutable_workflow_execution() = from.workflow_execution();
  if constexpr (requires { to->set_control(from.control()); }) to->set_control(from.control());
  if constexpr (requires { to->set_workflow_task_completed_event_id(0); }) {
    to->set_workflow_task_completed_event_id(from.workflow_task_completed_event_id());
  }
}

bool too_long(const std::string& text, const Limits& limits) {
  return text.size() > static_cast<std::size_t>(limits.id_bytes);
}

}  // namespace

namespace external_signal {

std::string prepare(const Command& command, const Limits& limits) {
  if (command.execution().workflow_id().empty()) {
    return "Required field WorkflowId is not set on SignalExternalWorkflowExecutionCommand.";
  }
  if (command.signal_name().empty()) {
    return "Required field SignalName is not set on SignalExternalWorkflowExecutionCommand.";
  }
  if (too_long(command.execution().workflow_id(), limits) || too_long(command.signal_name(), limits)) {
    return "WorkflowId or SignalName exceeds the length limit of 1000 bytes.";
  }
  return {};
}

void initiate(MutableState& ms, Ns now, std::int64_t completed_event_id, Command* command,
              const std::string& namespace_name, const std::string& namespace_id,
              const std::string& request_id) {
  Event& event = ms.add_event(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, now);
  auto& attributes = *event.mutable_signal_external_workflow_execution_initiated_event_attributes();
  attributes.set_workflow_task_completed_event_id(completed_event_id);
  attributes.set_namespace_(namespace_name);
  attributes.set_namespace_id(namespace_id);
  *attributes.mutable_workflow_execution() = command->execution();
  attributes.set_signal_name(command->signal_name());
  if (command->has_input()) attributes.mutable_input()->Swap(command->mutable_input());
  attributes.set_control(command->control());
  attributes.set_child_workflow_only(command->child_workflow_only());
  if (command->has_header()) attributes.mutable_header()->Swap(command->mutable_header());
  auto& info = *ms.s().add_external_signals();
  info.set_initiated_event_id(event.event_id());
  info.set_request_id(request_id);
  info.set_namespace_id(namespace_id);
  ms.effects().outbox = true;
}

bool done(MutableState& ms, Ns now, const Event& initiated) {
  if (!may(ms.external_signal(initiated.event_id()), On::kDone)) return false;
  ms.erase_external_signal(initiated.event_id());
  if (!ms.running()) return true;
  const auto& from = initiated.signal_external_workflow_execution_initiated_event_attributes();
  Event& event = ms.add_event(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, now);
  answer(initiated, from, event.mutable_external_workflow_execution_signaled_event_attributes());
  workflow_task::schedule(ms, now);
  return true;
}

bool failed(MutableState& ms, Ns now, const Event& initiated,
            enums::SignalExternalWorkflowExecutionFailedCause cause) {
  if (!may(ms.external_signal(initiated.event_id()), On::kFailed)) return false;
  ms.erase_external_signal(initiated.event_id());
  if (!ms.running()) return true;
  const auto& from = initiated.signal_external_workflow_execution_initiated_event_attributes();
  Event& event = ms.add_event(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, now);
  auto& attributes = *event.mutable_signal_external_workflow_execution_failed_event_attributes();
  attributes.set_cause(cause);
  answer(initiated, from, &attributes);
  workflow_task::schedule(ms, now);
  return true;
}

}  // namespace external_signal

namespace external_cancel {

std::string prepare(const Command& command, const Limits& limits) {
  if (command.workflow_id().empty()) {
    return "Required field WorkflowId is not set on RequestCancelExternalWorkflowExecutionCommand.";
  }
  if (too_long(command.workflow_id(), limits)) return "WorkflowId exceeds the length limit of 1000 bytes.";
  return {};
}

void initiate(MutableState& ms, Ns now, std::int64_t completed_event_id, Command* command,
              const std::string& namespace_name, const std::string& namespace_id,
              const std::string& request_id) {
  Event& event = ms.add_event(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, now);
  auto& attributes = *event.mutable_request_cancel_external_workflow_execution_initiated_event_attributes();
  attributes.set_workflow_task_completed_event_id(completed_event_id);
  attributes.set_namespace_(namespace_name);
  attributes.set_namespace_id(namespace_id);
  attributes.mutable_workflow_execution()->set_workflow_id(command->workflow_id());
  attributes.mutable_workflow_execution()->set_run_id(command->run_id());
  attributes.set_control(command->control());
  attributes.set_child_workflow_only(command->child_workflow_only());
  attributes.set_reason(command->reason());
  auto& info = *ms.s().add_external_cancels();
  info.set_initiated_event_id(event.event_id());
  info.set_request_id(request_id);
  info.set_namespace_id(namespace_id);
  ms.effects().outbox = true;
}

bool done(MutableState& ms, Ns now, const Event& initiated) {
  if (!may(ms.external_cancel(initiated.event_id()), On::kDone)) return false;
  ms.erase_external_cancel(initiated.event_id());
  if (!ms.running()) return true;
  const auto& from = initiated.request_cancel_external_workflow_execution_initiated_event_attributes();
  Event& event = ms.add_event(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, now);
  answer(initiated, from, event.mutable_external_workflow_execution_cancel_requested_event_attributes());
  workflow_task::schedule(ms, now);
  return true;
}

bool failed(MutableState& ms, Ns now, const Event& initiated,
            enums::CancelExternalWorkflowExecutionFailedCause cause) {
  if (!may(ms.external_cancel(initiated.event_id()), On::kFailed)) return false;
  ms.erase_external_cancel(initiated.event_id());
  if (!ms.running()) return true;
  const auto& from = initiated.request_cancel_external_workflow_execution_initiated_event_attributes();
  Event& event = ms.add_event(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, now);
  auto& attributes = *event.mutable_request_cancel_external_workflow_execution_failed_event_attributes();
  attributes.set_cause(cause);
  answer(initiated, from, &attributes);
  workflow_task::schedule(ms, now);
  return true;
}

}  // namespace external_cancel

}  // namespace holdfast::history
