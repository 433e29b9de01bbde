#pragma once

// Holdings: what a run may hold many of, in a table per kind. The list of the kinds, kKinds, says how each is
// stored: with the state, in a field of stored::ExecutionState, or as a row of its own, a stored::StatePart.
// Owned by the record of its run; pure, one thread.

#include <string>
#include <tuple>

#include "history/entries.h"
#include "history/stored.h"

namespace holdfast::history {

struct Holdings {
  Entries<stored::ActivityInfo> activities;  // by scheduled_event_id
  Entries<stored::TimerInfo> timers;         // by started_event_id
  Entries<stored::ChildInfo> children;       // by initiated_event_id, as the next two
  Entries<stored::ExternalSignalInfo> external_signals;
  Entries<stored::ExternalCancelInfo> external_cancels;
  Entries<Event> buffered_events;            // in order
  Entries<stored::UpdateInfo> updates;       // by accepted_event_id
  Entries<std::string> signal_request_ids;   // in order
  Entries<stored::ChildInfo> parent_closes;  // close_outbox.children
};

template <typename T>
struct Kind {
  using Info = T;
  Entries<T> Holdings::* table;
  int part;   // the field of StatePart, and what its rows say in their keys
  int outer;  // the field of ExecutionState that has `field`; 0: it has it itself
  int field;
  google::protobuf::RepeatedPtrField<T>* (*in_state)(stored::ExecutionState& state);
  T* (*in_part)(stored::StatePart& part);
  // Null: it has an order instead, and what stands with the state comes first.
  std::int64_t (*number)(const T& info);
};

inline constexpr std::tuple kKinds{
    Kind<stored::ActivityInfo>{&Holdings::activities, stored::StatePart::kActivityFieldNumber, 0,
                               stored::ExecutionState::kActivitiesFieldNumber,
                               [](auto& state) { return state.mutable_activities(); },
                               [](auto& part) { return part.mutable_activity(); },
                               [](const auto& info) { return info.scheduled_event_id(); }},
    Kind<stored::TimerInfo>{&Holdings::timers, stored::StatePart::kTimerFieldNumber, 0,
                            stored::ExecutionState::kTimersFieldNumber,
                            [](auto& state) { return state.mutable_timers(); },
                            [](auto& part) { return part.mutable_timer(); },
                            [](const auto& info) { return info.started_event_id(); }},
    Kind<stored::ChildInfo>{&Holdings::children, stored::StatePart::kChildFieldNumber, 0,
                            stored::ExecutionState::kChildrenFieldNumber,
                            [](auto& state) { return state.mutable_children(); },
                            [](auto& part) { return part.mutable_child(); },
                            [](const auto& info) { return info.initiated_event_id(); }},
    Kind<stored::ExternalSignalInfo>{&Holdings::external_signals,
                                     stored::StatePart::kExternalSignalFieldNumber, 0,
                                     stored::ExecutionState::kExternalSignalsFieldNumber,
                                     [](auto& state) { return state.mutable_external_signals(); },
                                     [](auto& part) { return part.mutable_external_signal(); },
                                     [](const auto& info) { return info.initiated_event_id(); }},
    Kind<stored::ExternalCancelInfo>{&Holdings::external_cancels,
                                     stored::StatePart::kExternalCancelFieldNumber, 0,
                                     stored::ExecutionState::kExternalCancelsFieldNumber,
                                     [](auto& state) { return state.mutable_external_cancels(); },
                                     [](auto& part) { return part.mutable_external_cancel(); },
                                     [](const auto& info) { return info.initiated_event_id(); }},
    Kind<Event>{&Holdings::buffered_events, stored::StatePart::kBufferedEventFieldNumber, 0,
                stored::ExecutionState::kBufferedEventsFieldNumber,
                [](auto& state) { return state.mutable_buffered_events(); },
                [](auto& part) { return part.mutable_buffered_event(); }, nullptr},
    Kind<stored::UpdateInfo>{&Holdings::updates, stored::StatePart::kUpdateFieldNumber, 0,
                             stored::ExecutionState::kUpdatesFieldNumber,
                             [](auto& state) { return state.mutable_updates(); },
                             [](auto& part) { return part.mutable_update(); },
                             [](const auto& info) { return info.accepted_event_id(); }},
    Kind<std::string>{&Holdings::signal_request_ids, stored::StatePart::kSignalRequestIdFieldNumber, 0,
                      stored::ExecutionState::kSignalRequestIdsFieldNumber,
                      [](auto& state) { return state.mutable_signal_request_ids(); },
                      [](auto& part) { return part.mutable_signal_request_id(); }, nullptr},
    Kind<stored::ChildInfo>{&Holdings::parent_closes, stored::StatePart::kParentCloseFieldNumber,
                            stored::ExecutionState::kCloseOutboxFieldNumber,
                            stored::CloseOutbox::kChildrenFieldNumber,
                            [](auto& state) { return state.mutable_close_outbox()->mutable_children(); },
                            [](auto& part) { return part.mutable_parent_close(); },
                            [](const auto& info) { return info.initiated_event_id(); }},
};

// `visit(kind, table)` for each kind; Held is Holdings, const or not.
template <typename Held, typename Visit>
void for_each_kind(Held& held, Visit visit) {
  std::apply([&](const auto&... kind) { (visit(kind, held.*kind.table), ...); }, kKinds);
}

}  // namespace holdfast::history
