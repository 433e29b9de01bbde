#include "history/external.h"

#include "base/transition.h"
#include "history/apply.h"
#include "history/workflow_task.h"
#include "history/writable.h"

namespace holdfast::history {
namespace {

enum class State : std::uint8_t { kInitiated, kClosed };
enum class On : std::uint8_t { kDone, kFailed };

constexpr Transition<State, On> kRows[] = {
    {State::kInitiated, On::kDone, State::kClosed},
    {State::kInitiated, On::kFailed, State::kClosed},
};
const TransitionTable kTable("external request", rows(State::kInitiated, kRows));

// The two machines, as far as they differ.
struct Signal {
  static constexpr auto kDone = enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED;
  static constexpr auto kFailed = enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED;
  static const auto& initiated(const Event& event) {
    return event.signal_external_workflow_execution_initiated_event_attributes();
  }
  static auto& done(Event& event) {
    return *event.mutable_external_workflow_execution_signaled_event_attributes();
  }
  static auto& failed(Event& event) {
    return *event.mutable_signal_external_workflow_execution_failed_event_attributes();
  }
  static const auto* find(const MutableState& ms, std::int64_t id) { return ms.external_signal(id); }
  static void erase(Record& record, std::int64_t id) { record.erase_external_signal(id); }
};

struct Cancel {
  static constexpr auto kDone = enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED;
  static constexpr auto kFailed = enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED;
  static const auto& initiated(const Event& event) {
    return event.request_cancel_external_workflow_execution_initiated_event_attributes();
  }
  static auto& done(Event& event) {
    return *event.mutable_external_workflow_execution_cancel_requested_event_attributes();
  }
  static auto& failed(Event& event) {
    return *event.mutable_request_cancel_external_workflow_execution_failed_event_attributes();
  }
  static const auto* find(const MutableState& ms, std::int64_t id) { return ms.external_cancel(id); }
  static void erase(Record& record, std::int64_t id) { record.erase_external_cancel(id); }
};

// What the four answers repeat of their request, as far as each has the field.
template <typename Initiated, typename To>
void repeat(const Event& initiated, const Initiated& from, To* to) {
  to->set_initiated_event_id(initiated.event_id());
  to->set_namespace_(from.namespace_());
  to->set_namespace_id(from.namespace_id());
  *to->mutable_workflow_execution() = from.workflow_execution();
  if constexpr (requires { to->set_control(from.control()); }) to->set_control(from.control());
}

// The request has its answer, which `event` says to the workflow. False: it had one before.
template <typename Machine>
bool close(MutableState& ms, Ns now, const Event& initiated, On on, Event event) {
  const std::int64_t id = initiated.event_id();
  // No entry: the request was answered.
  if (!kTable.next(Machine::find(ms, id) != nullptr ? State::kInitiated : State::kClosed, on)) return false;
  if (!ms.running()) {
    Machine::erase(writable(ms), id);  // nobody is left to be told
    return true;
  }
  ms.record(std::move(event));
  workflow_task::schedule(ms, now);
  return true;
}

template <typename Machine>
bool close_done(MutableState& ms, Ns now, const Event& initiated) {
  Event event = make_event<Machine::kDone>(now);
  repeat(initiated, Machine::initiated(initiated), &Machine::done(event));
  return close<Machine>(ms, now, initiated, On::kDone, std::move(event));
}

template <typename Machine, typename Cause>
bool close_failed(MutableState& ms, Ns now, const Event& initiated, Cause cause) {
  Event event = make_event<Machine::kFailed>(now);
  auto& attributes = Machine::failed(event);
  attributes.set_cause(cause);
  repeat(initiated, Machine::initiated(initiated), &attributes);
  return close<Machine>(ms, now, initiated, On::kFailed, std::move(event));
}

bool too_long(const std::string& text, const Limits& limits) {
  return text.size() > static_cast<std::size_t>(limits.id_bytes);
}

}  // namespace

namespace external_signal {

std::string prepare(const Command& command, const Limits& limits) {
  if (!command.has_execution()) return "Execution is not set on SignalExternalWorkflowExecutionCommand.";
  if (command.execution().workflow_id().empty()) {
    return "WorkflowId is not set on SignalExternalWorkflowExecutionCommand.";
  }
  if (command.signal_name().empty()) {
    return "SignalName is not set on SignalExternalWorkflowExecutionCommand.";
  }
  if (too_long(command.execution().workflow_id(), limits) || too_long(command.signal_name(), limits)) {
    return "WorkflowId or SignalName exceeds the length limit of 1000 bytes.";
  }
  return {};
}

void initiate(MutableState& ms, Ns now, std::int64_t completed_event_id, Command* command,
              const std::string& namespace_name, const std::string& namespace_id,
              const std::string& request_id) {
  Event event = make_event<enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED>(now);
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
  const std::int64_t id = ms.record(std::move(event));
  writable(ms).external_signal(id)->set_request_id(request_id);
  ms.effects().owe(id);
}

bool done(MutableState& ms, Ns now, const Event& initiated) {
  return close_done<Signal>(ms, now, initiated);
}

bool failed(MutableState& ms, Ns now, const Event& initiated,
            enums::SignalExternalWorkflowExecutionFailedCause cause) {
  return close_failed<Signal>(ms, now, initiated, cause);
}

void apply_initiated(Record& record, const Event& event) {
  stored::ExternalSignalInfo info;
  info.set_initiated_event_id(event.event_id());
  info.set_namespace_id(Signal::initiated(event).namespace_id());
  record.add_external_signal(std::move(info));
}

void apply_done(Record& record, const Event& event) {
  Signal::erase(record, event.external_workflow_execution_signaled_event_attributes().initiated_event_id());
}

void apply_failed(Record& record, const Event& event) {
  Signal::erase(record,
                event.signal_external_workflow_execution_failed_event_attributes().initiated_event_id());
}

}  // namespace external_signal

namespace external_cancel {

std::string prepare(const Command& command, const Limits& limits) {
  if (command.workflow_id().empty()) {
    return "WorkflowId is not set on RequestCancelExternalWorkflowExecutionCommand.";
  }
  if (too_long(command.workflow_id(), limits)) return "WorkflowId exceeds the length limit of 1000 bytes.";
  return {};
}

void initiate(MutableState& ms, Ns now, std::int64_t completed_event_id, Command* command,
              const std::string& namespace_name, const std::string& namespace_id,
              const std::string& request_id) {
  Event event = make_event<enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED>(now);
  auto& attributes = *event.mutable_request_cancel_external_workflow_execution_initiated_event_attributes();
  attributes.set_workflow_task_completed_event_id(completed_event_id);
  attributes.set_namespace_(namespace_name);
  attributes.set_namespace_id(namespace_id);
  attributes.mutable_workflow_execution()->set_workflow_id(command->workflow_id());
  attributes.mutable_workflow_execution()->set_run_id(command->run_id());
  attributes.set_control(command->control());
  attributes.set_child_workflow_only(command->child_workflow_only());
  attributes.set_reason(command->reason());
  const std::int64_t id = ms.record(std::move(event));
  writable(ms).external_cancel(id)->set_request_id(request_id);
  ms.effects().owe(id);
}

bool done(MutableState& ms, Ns now, const Event& initiated) {
  return close_done<Cancel>(ms, now, initiated);
}

bool failed(MutableState& ms, Ns now, const Event& initiated,
            enums::CancelExternalWorkflowExecutionFailedCause cause) {
  return close_failed<Cancel>(ms, now, initiated, cause);
}

void apply_initiated(Record& record, const Event& event) {
  stored::ExternalCancelInfo info;
  info.set_initiated_event_id(event.event_id());
  info.set_namespace_id(Cancel::initiated(event).namespace_id());
  record.add_external_cancel(std::move(info));
}

void apply_done(Record& record, const Event& event) {
  Cancel::erase(record,
                event.external_workflow_execution_cancel_requested_event_attributes().initiated_event_id());
}

void apply_failed(Record& record, const Event& event) {
  Cancel::erase(
      record,
      event.request_cancel_external_workflow_execution_failed_event_attributes().initiated_event_id());
}

}  // namespace external_cancel

}  // namespace holdfast::history
