#pragma once

// MutableState: one execution, as its events have made it. Owns the stored state, the events that are not yet
// in a history page, and what lives in memory only (updates before acceptance, a speculative workflow task).
// The entity files (activity.h, timer.h, workflow_task.h, ...) are the only code that changes it; the engine
// core owns the object, and reads the effects a transition left behind.
//
// Pure: no clock, I/O or threads. Every operation takes `now`.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "history/limits.h"
#include "history/stored.h"
#include "history/update_registry.h"

namespace holdfast::history {

enum class DeadlineKind : std::uint8_t {
  kExecutionTimeout,
  kRunTimeout,
  kFirstTask,
  kWorkflowTask,
  kActivity,
  kTimer,
};

struct Deadline {
  Ns at = 0;
  DeadlineKind kind = DeadlineKind::kTimer;
  std::int64_t id = 0;  // event id of the entity
  auto operator<=>(const Deadline&) const = default;
};

class MutableState;

// What a transition asks of the core. Cleared by take_effects().
struct Effects {
  bool workflow_task = false;            // hand the scheduled workflow task to its queue
  std::vector<std::int64_t> activities;  // hand these out
  bool outbox = false;                   // something crosses executions
  bool visibility = false;               // what lists show has changed
  bool closed = false;
  std::shared_ptr<MutableState>
      successor;         // the run that takes over from one that closed, in the same transaction
  bool updates = false;  // waiters of updates may have an answer
};

class MutableState {
 public:
  // A loaded state; rebuilds the indexes.
  explicit MutableState(stored::ExecutionState state);

  stored::ExecutionState& s() { return s_; }
  const stored::ExecutionState& s() const { return s_; }
  bool running() const { return s_.status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING; }

  // Appends an event and returns it for its attributes. While a workflow task is started, events that no
  // command made are buffered: their id is kBufferedEventId until the task ends.
  static constexpr std::int64_t kBufferedEventId = -1;
  Event& add_event(enums::EventType type, Ns now);
  // Gives buffered events their place, activity and child completions last. True if there were any.
  bool flush_buffered();
  // A buffered TimerFired of this timer, removed; false: none.
  bool drop_buffered_timer_fired(std::int64_t started_event_id);
  std::int64_t buffered_bytes() const;
  // While commands are applied, what they cause (not what they say) waits for the flush too.
  void set_applying_commands(bool value) { applying_commands_ = value; }
  bool applying_commands() const { return applying_commands_; }

  // Events that no page holds yet, and their hand-over to one.
  const pb::history::v1::History& unsaved() const { return unsaved_; }
  pb::history::v1::History take_unsaved();
  // Ends a transition: counts it and the bytes of its events.
  void seal();

  // Deadlines: one per (kind, id); at == 0 removes it.
  void set_deadline(DeadlineKind kind, std::int64_t id, Ns at);
  // {at 0} when there is none.
  Deadline next_deadline() const;

  stored::ActivityInfo* activity(std::int64_t scheduled_event_id);
  stored::ActivityInfo* activity_by_id(const std::string& activity_id);
  stored::ActivityInfo* add_activity();  // fill in, then index_activity()
  void index_activity(const stored::ActivityInfo& info);
  void erase_activity(std::int64_t scheduled_event_id);

  stored::TimerInfo* timer(std::int64_t started_event_id);
  stored::TimerInfo* timer_by_id(const std::string& timer_id);
  void add_timer(stored::TimerInfo info);
  void erase_timer(std::int64_t started_event_id);

  stored::ChildInfo* child(std::int64_t initiated_event_id);
  void erase_child(std::int64_t initiated_event_id);
  stored::ExternalSignalInfo* external_signal(std::int64_t initiated_event_id);
  void erase_external_signal(std::int64_t initiated_event_id);
  stored::ExternalCancelInfo* external_cancel(std::int64_t initiated_event_id);
  void erase_external_cancel(std::int64_t initiated_event_id);
  bool signal_seen(const std::string& request_id) const { return signal_requests_.contains(request_id); }
  void remember_signal(const std::string& request_id);

  bool workflow_task_pending() const { return s_.workflow_task().scheduled_event_id() != 0; }
  bool workflow_task_started() const { return s_.workflow_task().started_event_id() != 0; }
  // A speculative task is written nowhere until it turns out to matter.
  bool speculative() const { return speculative_; }
  void set_speculative(bool value) { speculative_ = value; }

  UpdateRegistry& updates() { return updates_; }

  Effects& effects() { return effects_; }
  Effects take_effects() { return std::exchange(effects_, {}); }

  // All or nothing for a workflow task's completion: what rollback() returns to.
  struct Snapshot {
    stored::ExecutionState state;
    int unsaved_events = 0;
    bool speculative = false;
    UpdateRegistry::Snapshot updates;
  };
  Snapshot snapshot() const;
  void rollback(Snapshot snapshot);

  // The moment of the stored wake row; -1: none.
  void set_wake_row(Ns at) { s_.set_wake_row_ns(at); }
  // The row to store: without what must not survive this process.
  std::string serialize_state() const;

 private:
  void rebuild_indexes();

  stored::ExecutionState s_;
  pb::history::v1::History unsaved_;
  int sealed_events_ = 0;  // of unsaved_: already counted
  bool speculative_ = false;
  bool applying_commands_ = false;
  UpdateRegistry updates_;
  Effects effects_;

  std::unordered_map<std::string, std::int64_t> activity_ids_;
  std::unordered_map<std::string, std::int64_t> timer_ids_;
  std::set<std::string> signal_requests_;
  std::map<std::pair<DeadlineKind, std::int64_t>, Ns> deadline_of_;
  std::set<Deadline> deadlines_;
};

// Sets every deadline that follows from the stored state, timers apart (lifecycle.cc).
void rebuild_deadlines(MutableState& ms);

}  // namespace holdfast::history
