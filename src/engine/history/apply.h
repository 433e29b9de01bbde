#pragma once

// Decide, then apply. A decision makes events (make_event) and touches no state; each type of event has one
// function that applies it, and those functions are the only writers of what follows from events. This table
// has a row for each type: an event whose type has none cannot be made, which the compiler says.
//
// The functions trust nobody: an event that speaks of what is not there changes nothing. (It may be right: a
// cancel that found its timer fired, but not yet in the history.) Events that can wait are applied before
// they have their place: their functions must not care for the order in which they find it.

#include <array>
#include <cstddef>

#include "base/check.h"
#include "history/activity.h"
#include "history/child_workflow.h"
#include "history/external.h"
#include "history/lifecycle.h"
#include "history/properties.h"
#include "history/timer.h"
#include "history/update.h"
#include "history/workflow_task.h"

namespace holdfast::history {

using Apply = void (*)(Record& record, const Event& event);

// The event is for whoever reads the history; the state has it from elsewhere, or needs it not.
inline void apply_nothing(Record& /*record*/, const Event& /*event*/) {}

// Must an event wait for its place in the history while a workflow task is started? Everything does but the
// events of commands, of workflow tasks and of the execution's end, and what an update's worker said.
enum class Waits : std::uint8_t {
  kNo,
  kYes,
  kLast,  // the end of what another event, which may wait too, has started
};

inline constexpr struct {
  enums::EventType type;
  Apply apply;
  Waits waits = Waits::kNo;
} kEventTypes[] = {
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, lifecycle::apply_started},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, lifecycle::apply_signaled, Waits::kYes},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED, lifecycle::apply_cancel_requested, Waits::kYes},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, lifecycle::apply_completed},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, lifecycle::apply_failed},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, lifecycle::apply_canceled},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, lifecycle::apply_terminated},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, lifecycle::apply_timed_out},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, lifecycle::apply_continued_as_new},

    {enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, workflow_task::apply_scheduled},
    {enums::EVENT_TYPE_WORKFLOW_TASK_STARTED, workflow_task::apply_started},
    {enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED, workflow_task::apply_completed},
    {enums::EVENT_TYPE_WORKFLOW_TASK_FAILED, workflow_task::apply_failed},
    {enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, workflow_task::apply_timed_out},

    {enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, activity::apply_scheduled},
    // Written with the end, which follows.
    {enums::EVENT_TYPE_ACTIVITY_TASK_STARTED, apply_nothing, Waits::kYes},
    {enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, activity::apply_cancel_requested},
    {enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED, activity::apply_completed, Waits::kLast},
    {enums::EVENT_TYPE_ACTIVITY_TASK_FAILED, activity::apply_failed, Waits::kLast},
    {enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, activity::apply_timed_out, Waits::kLast},
    {enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED, activity::apply_canceled, Waits::kLast},

    {enums::EVENT_TYPE_TIMER_STARTED, timer::apply_started},
    {enums::EVENT_TYPE_TIMER_FIRED, timer::apply_fired, Waits::kYes},
    {enums::EVENT_TYPE_TIMER_CANCELED, timer::apply_canceled},

    {enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, child_workflow::apply_initiated},
    {enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED, child_workflow::apply_start_failed,
     Waits::kYes},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, child_workflow::apply_started, Waits::kYes},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, child_workflow::apply_completed, Waits::kLast},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED, child_workflow::apply_failed, Waits::kLast},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED, child_workflow::apply_canceled, Waits::kLast},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT, child_workflow::apply_timed_out, Waits::kLast},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED, child_workflow::apply_terminated, Waits::kLast},

    {enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, external_signal::apply_initiated},
    {enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, external_signal::apply_done, Waits::kYes},
    {enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, external_signal::apply_failed, Waits::kYes},
    {enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
     external_cancel::apply_initiated},
    {enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, external_cancel::apply_done,
     Waits::kYes},
    {enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, external_cancel::apply_failed,
     Waits::kYes},

    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, update::apply_accepted},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, update::apply_completed},

    {enums::EVENT_TYPE_MARKER_RECORDED, apply_nothing},
    {enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, properties::apply_search_attributes_upserted},
    {enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED, properties::apply_modified},
};

namespace apply_detail {
// Not constexpr, so that the compiler names it when the table is wrong.
void one_event_type_has_two_rows();

struct Entry {
  Apply apply = nullptr;
  Waits waits = Waits::kNo;
};

inline constexpr auto kByType = [] {
  std::array<Entry, 128> table{};
  for (const auto& row : kEventTypes) {
    auto& entry = table[static_cast<std::size_t>(row.type)];
    if (entry.apply != nullptr) one_event_type_has_two_rows();
    entry = {row.apply, row.waits};
  }
  return table;
}();

constexpr Entry entry_of(enums::EventType type) {
  const auto index = static_cast<std::size_t>(type);
  return index < kByType.size() ? kByType[index] : Entry{};
}
}  // namespace apply_detail

// nullptr: this engine does not write such events.
constexpr Apply apply_of(enums::EventType type) {
  return apply_detail::entry_of(type).apply;
}

constexpr Waits waits(enums::EventType type) {
  return apply_detail::entry_of(type).waits;
}

inline void apply(Record& record, const Event& event) {
  const Apply function = apply_of(event.event_type());
  HF_CHECK(function != nullptr);
  function(record, event);
}

// An event that has happened at `time`, for its attributes.
template <enums::EventType Type>
Event make_event(Ns time) {
  static_assert(apply_of(Type) != nullptr,
                "an event without an apply function: kEventTypes has no row for it");
  Event event;
  event.set_event_type(Type);
  set_time(event.mutable_event_time(), time);
  return event;
}

}  // namespace holdfast::history
