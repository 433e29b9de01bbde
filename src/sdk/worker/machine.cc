#include "worker/machine.h"

#include <algorithm>

#include "api/enum_name.h"
#include "worker/marker_machine.h"

namespace holdfast::worker {

std::string event_name(enums::EventType type) {
  return api::enum_name(*enums::EventType_descriptor(), type, "EVENT_TYPE_");
}

std::string event_text(enums::EventType type,
                       std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string out = event_name(type);
  if (fields.size() == 0) return out;
  char separator = '(';
  for (const auto& [name, value] : fields) {
    out += separator;
    if (separator == ',') out += ' ';
    out += name;
    out += " \"";
    out += value;
    out += '"';
    separator = ',';
  }
  out += ')';
  return out;
}

std::string describe_event(const HistoryEvent& event) {
  const auto type = event.event_type();
  switch (type) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: {
      const auto& attributes = event.activity_task_scheduled_event_attributes();
      return event_text(type, {{"activity_id", attributes.activity_id()},
                               {"activity_type", attributes.activity_type().name()}});
    }
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
      return event_text(
          type,
          {{"scheduled_event",
            std::to_string(event.activity_task_cancel_requested_event_attributes().scheduled_event_id())}});
    case enums::EVENT_TYPE_TIMER_STARTED:
      return event_text(type, {{"timer_id", event.timer_started_event_attributes().timer_id()}});
    case enums::EVENT_TYPE_TIMER_CANCELED:
      return event_text(type, {{"timer_id", event.timer_canceled_event_attributes().timer_id()}});
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: {
      const auto& attributes = event.start_child_workflow_execution_initiated_event_attributes();
      return event_text(type, {{"workflow_id", attributes.workflow_id()},
                               {"workflow_type", attributes.workflow_type().name()}});
    }
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: {
      const auto& attributes = event.request_cancel_external_workflow_execution_initiated_event_attributes();
      return event_text(type, {{"workflow_id", attributes.workflow_execution().workflow_id()}});
    }
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: {
      const auto& attributes = event.signal_external_workflow_execution_initiated_event_attributes();
      return event_text(type, {{"workflow_id", attributes.workflow_execution().workflow_id()},
                               {"signal_name", attributes.signal_name()}});
    }
    case enums::EVENT_TYPE_MARKER_RECORDED: {
      const auto& attributes = event.marker_recorded_event_attributes();
      return event_text(type, {{"marker", attributes.marker_name()}, {"id", marker_id(attributes)}});
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
      return event_text(
          type, {{"update_id",
                  event.workflow_execution_update_accepted_event_attributes().protocol_instance_id()}});
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
      return event_text(
          type,
          {{"update_id", event.workflow_execution_update_completed_event_attributes().meta().update_id()}});
    default: return event_text(type, {});
  }
}

bool is_command_event(enums::EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
    case enums::EVENT_TYPE_TIMER_STARTED:
    case enums::EVENT_TYPE_TIMER_CANCELED:
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
    case enums::EVENT_TYPE_MARKER_RECORDED:
    case enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
    case enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: return true;
    default: return false;
  }
}

void throw_unexpected(const HistoryEvent& event, std::string_view what, std::string_view state) {
  throw NondeterminismError("[TMPRL1100] event " + std::to_string(event.event_id()) + ", " +
                            describe_event(event) + ", does not fit " + std::string(what) + ", which is " +
                            std::string(state));
}

void CommandQueue::drop(const Machine& machine, enums::EventType kind) {
  std::erase_if(queue_,
                [&](const Entry& each) { return each.machine.get() == &machine && each.kind == kind; });
}

void CommandQueue::match(const HistoryEvent& event) {
  const std::string expected = describe_event(event);
  const std::string actual =
      queue_.empty() ? "nothing" : queue_.front().machine->describe(queue_.front().kind);
  if (actual != expected) {
    throw NondeterminismError("[TMPRL1100] history and workflow code disagree at event " +
                              std::to_string(event.event_id()) + "\n  history: " + expected +
                              "\n  code:    " + actual);
  }
  const Entry entry = std::move(queue_.front());
  queue_.pop_front();
  entry.machine->recorded(entry.kind, event);
}

}  // namespace holdfast::worker
