#pragma once

// Decide, then apply. A decision makes events (make_event) and touches no state; each type of event has one
// function that applies it, and those functions are the only writers of what follows from events. This table
// names them all: an event whose type is not in it cannot be made, which the compiler says.
//
// The functions trust nobody: an event that speaks of what is not there changes nothing. (It may be right: a
// cancel that found its timer fired, but not yet in the history.)

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

inline constexpr struct {
  enums::EventType type;
  Apply apply;
} kApplies[] = {
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, lifecycle::apply_started},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, lifecycle::apply_signaled},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED, lifecycle::apply_cancel_requested},
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
    {enums::EVENT_TYPE_ACTIVITY_TASK_STARTED, apply_nothing},  // written with the end, which follows
    {enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, activity::apply_cancel_requested},
    {enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED, activity::apply_completed},
    {enums::EVENT_TYPE_ACTIVITY_TASK_FAILED, activity::apply_failed},
    {enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, activity::apply_timed_out},
    {enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED, activity::apply_canceled},

    {enums::EVENT_TYPE_TIMER_STARTED, timer::apply_started},
    {enums::EVENT_TYPE_TIMER_FIRED, timer::apply_fired},
    {enums::EVENT_TYPE_TIMER_CANCELED, timer::apply_canceled},

    {enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, child_workflow::apply_initiated},
    {enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED, child_workflow::apply_start_failed},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, child_workflow::apply_started},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, child_workflow::apply_completed},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED, child_workflow::apply_failed},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED, child_workflow::apply_canceled},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT, child_workflow::apply_timed_out},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED, child_workflow::apply_terminated},

    {enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, external_signal::apply_initiated},
    {enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, external_signal::apply_done},
    {enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, external_signal::apply_failed},
    {enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
     external_cancel::apply_initiated},
    {enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, external_cancel::apply_done},
    {enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, external_cancel::apply_failed},

    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, update::apply_accepted},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, update::apply_completed},

    {enums::EVENT_TYPE_MARKER_RECORDED, apply_nothing},
    {enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, properties::apply_search_attributes_upserted},
    {enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED, properties::apply_modified},
};

namespace apply_detail {
// Not constexpr, so that the compiler names it when the table is wrong.
void one_event_type_has_two_apply_functions();

inline constexpr auto kByType = [] {
  std::array<Apply, 128> table{};
  for (const auto& row : kApplies) {
    if (table[static_cast<std::size_t>(row.type)] != nullptr) one_event_type_has_two_apply_functions();
    table[static_cast<std::size_t>(row.type)] = row.apply;
  }
  return table;
}();
}  // namespace apply_detail

// nullptr: this engine does not write such events.
constexpr Apply apply_of(enums::EventType type) {
  const auto index = static_cast<std::size_t>(type);
  return index < apply_detail::kByType.size() ? apply_detail::kByType[index] : nullptr;
}

inline void apply(Record& record, const Event& event) {
  const Apply function = apply_of(event.event_type());
  HF_CHECK(function != nullptr);
  function(record, event);
}

// An event that has happened at `time`, for its attributes.
template <enums::EventType Type>
Event make_event(Ns time) {
  static_assert(apply_of(Type) != nullptr, "an event without an apply function: kApplies has no row for it");
  Event event;
  event.set_event_type(Type);
  set_time(event.mutable_event_time(), time);
  return event;
}

}  // namespace holdfast::history
