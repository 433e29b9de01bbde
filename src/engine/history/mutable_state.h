#pragma once

// MutableState: one execution, as its events have made it. Owns its record (record.h), the events that are
// not yet in a history page, and what lives in memory only (updates before acceptance, a speculative workflow
// task). The entity files (activity.h, timer.h, workflow_task.h, ...) are the only code that changes it: they
// decide, which makes events, and record() applies each of them to the record. The engine core owns the
// object, and reads the effects a transition left behind.
//
// Pure: no clock, I/O or threads. Every operation takes `now`.

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "history/limits.h"
#include "history/record.h"
#include "history/update_registry.h"

namespace holdfast::history {

class MutableState;

// What a transition asks of the core. Cleared by take_effects().
struct Effects {
  bool workflow_task = false;                  // hand the scheduled workflow task to its queue
  std::vector<std::int64_t> activities;        // hand these out
  std::vector<std::int64_t> ended_activities;  // these wait for no worker any more
  // Something crosses executions: what was initiated by this event or later ones, and from 0 all.
  std::int64_t outbox_from = std::numeric_limits<std::int64_t>::max();
  bool visibility = false;  // what lists show has changed
  bool closed = false;
  std::shared_ptr<MutableState>
      successor;         // the run that takes over from one that closed, in the same transaction
  bool updates = false;  // waiters of updates may have an answer

  void owe(std::int64_t event_id) { outbox_from = std::min(outbox_from, event_id); }
  bool owes() const { return outbox_from != std::numeric_limits<std::int64_t>::max(); }
};

class MutableState {
 public:
  // A loaded state; rebuilds the indexes.
  explicit MutableState(stored::ExecutionState whole) : record_(std::move(whole)) {}
  explicit MutableState(StateReader reader) : record_(reader.take_head(), reader.take_held()) {}

  // Without what it holds, which is in held().
  const stored::ExecutionState& s() const { return record_.s(); }
  const Holdings& held() const { return record_.held(); }
  stored::ExecutionState whole() const { return record_.whole(); }
  bool running() const { return record_.running(); }

  // Gives an event (apply.h makes them) its id, and applies it; returns the id. While a workflow task is
  // started, events that no command made are buffered: applied at once, but their id is kBufferedEventId
  // until the task ends.
  static constexpr std::int64_t kBufferedEventId = -1;
  std::int64_t record(Event&& event);
  bool would_buffer(enums::EventType type) const;
  // Takes what a command says beside its attributes, for the event that it has made: the one of this id, if
  // there is one by now. In the transition that recorded it.
  void annotate(std::int64_t event_id, pb::command::v1::Command* command);
  // Gives buffered events their place, activity and child completions last. True if there were any.
  bool flush_buffered();
  std::int64_t buffered_bytes() const { return record_.buffered_bytes(); }
  bool end_is_buffered(std::int64_t scheduled_event_id) const {
    return record_.end_is_buffered(scheduled_event_id);
  }
  // The number, in held(), of a buffered TimerFired.
  std::optional<std::int64_t> buffered_fire(const std::string& timer_id) const {
    return record_.buffered_fire(timer_id);
  }
  // While commands are applied, what they cause (not what they say) waits for the flush too.
  void set_applying_commands(bool value) { applying_commands_ = value; }
  bool applying_commands() const { return applying_commands_; }

  // Events that no page holds yet, and their hand-over to one.
  const pb::history::v1::History& unsaved() const { return unsaved_; }
  pb::history::v1::History take_unsaved();
  // Ends a transition: counts the bytes of its events.
  void seal();

  Deadline next_deadline() const { return record_.next_deadline(); }

  std::int64_t heartbeat_details_bytes() const { return record_.heartbeat_details_bytes(); }
  const stored::ActivityInfo* activity(std::int64_t scheduled_event_id) const {
    return record_.activity(scheduled_event_id);
  }
  const stored::ActivityInfo* activity_by_id(const std::string& activity_id) const {
    return record_.activity_by_id(activity_id);
  }
  const stored::TimerInfo* timer(std::int64_t started_event_id) const {
    return record_.timer(started_event_id);
  }
  const stored::TimerInfo* timer_by_id(const std::string& timer_id) const {
    return record_.timer_by_id(timer_id);
  }
  const stored::ChildInfo* child(std::int64_t initiated_event_id) const {
    return record_.child(initiated_event_id);
  }
  const stored::ExternalSignalInfo* external_signal(std::int64_t initiated_event_id) const {
    return record_.external_signal(initiated_event_id);
  }
  const stored::ExternalCancelInfo* external_cancel(std::int64_t initiated_event_id) const {
    return record_.external_cancel(initiated_event_id);
  }
  const std::set<std::int64_t>& children_to_start() const { return record_.children_to_start(); }
  const stored::UpdateInfo* update_by_id(const std::string& update_id) const {
    return record_.update_by_id(update_id);
  }
  bool signal_seen(const std::string& request_id) const { return record_.signal_seen(request_id); }

  bool workflow_task_pending() const { return s().workflow_task().scheduled_event_id() != 0; }
  bool workflow_task_started() const { return s().workflow_task().started_event_id() != 0; }
  // A speculative task is written nowhere until it turns out to matter.
  bool speculative() const { return speculative_; }
  void set_speculative(bool value) { speculative_ = value; }

  UpdateRegistry& updates() { return updates_; }

  Effects& effects() { return effects_; }
  Effects take_effects() { return std::exchange(effects_, {}); }

  // All or nothing for a workflow task's completion: what happens from begin() on stands with keep(), and has
  // not happened with rollback().
  void begin();
  void keep();
  void rollback();

  // The moment of the stored wake row; -1: none.
  void set_wake_row(Ns at) { record_.s().set_wake_row_ns(at); }
  // What changed since the last call, as the rows to store: without what must not survive this process.
  StateRows take_rows();
  std::int64_t part_rows() const { return record_.part_rows(); }
  // What it takes in memory, as of the last rows that were taken, or of loading.
  std::size_t in_memory() const { return record_.in_memory(); }

 private:
  friend Record& writable(MutableState& ms);

  // What rollback() returns to; the record keeps its own part.
  struct Before {
    int unsaved_events = 0;
    bool speculative = false;
    UpdateRegistry::Snapshot updates;
  };

  Record record_;
  pb::history::v1::History unsaved_;
  int sealed_events_ = 0;  // of unsaved_: already counted
  bool speculative_ = false;
  bool applying_commands_ = false;
  UpdateRegistry updates_;
  Effects effects_;
  std::optional<Before> before_;
};

}  // namespace holdfast::history
