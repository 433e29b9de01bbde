#pragma once

// Record: the stored state of one execution, with the indexes that find things in it and the deadlines that
// follow from it. Two kinds of code write it: the functions that apply events (apply.h), and, for what
// follows from no event, the operations of this room (writable.h). Everybody else reads.
//
// Pure, one thread. What is not there is nullptr; erasing what is not there does nothing.

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "history/stored.h"

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

class Record {
 public:
  Record() = default;
  explicit Record(stored::ExecutionState state) { reset(std::move(state)); }
  // Another state; the indexes and deadlines are made from it.
  void reset(stored::ExecutionState state);

  const stored::ExecutionState& s() const { return s_; }
  stored::ExecutionState& s() { return s_; }
  bool running() const { return s_.status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING; }

  // Deadlines: one per (kind, id); at == 0 removes it.
  void set_deadline(DeadlineKind kind, std::int64_t id, Ns at);
  // {at 0} when there is none.
  Deadline next_deadline() const { return deadlines_.empty() ? Deadline{} : *deadlines_.begin(); }

  const stored::ActivityInfo* activity(std::int64_t scheduled_event_id) const;
  stored::ActivityInfo* activity(std::int64_t scheduled_event_id);
  const stored::ActivityInfo* activity_by_id(const std::string& activity_id) const;
  stored::ActivityInfo& add_activity(std::int64_t scheduled_event_id, const std::string& activity_id);
  void erase_activity(std::int64_t scheduled_event_id);
  // Takes what an attempt said about how far it is.
  void set_heartbeat_details(std::int64_t scheduled_event_id, pb::common::v1::Payloads* details);
  // Of all activities.
  std::int64_t heartbeat_details_bytes() const { return heartbeat_details_bytes_; }

  const stored::TimerInfo* timer(std::int64_t started_event_id) const;
  const stored::TimerInfo* timer_by_id(const std::string& timer_id) const;
  void add_timer(stored::TimerInfo info);
  void erase_timer(std::int64_t started_event_id);

  const stored::ChildInfo* child(std::int64_t initiated_event_id) const;
  stored::ChildInfo* child(std::int64_t initiated_event_id);
  void erase_child(std::int64_t initiated_event_id);
  const stored::ExternalSignalInfo* external_signal(std::int64_t initiated_event_id) const;
  stored::ExternalSignalInfo* external_signal(std::int64_t initiated_event_id);
  void erase_external_signal(std::int64_t initiated_event_id);
  const stored::ExternalCancelInfo* external_cancel(std::int64_t initiated_event_id) const;
  stored::ExternalCancelInfo* external_cancel(std::int64_t initiated_event_id);
  void erase_external_cancel(std::int64_t initiated_event_id);

  bool signal_seen(const std::string& request_id) const { return signal_requests_.contains(request_id); }
  void remember_signal(const std::string& request_id);

 private:
  stored::ExecutionState s_;
  std::unordered_map<std::string, std::int64_t> activity_ids_;
  std::int64_t heartbeat_details_bytes_ = 0;
  std::unordered_map<std::string, std::int64_t> timer_ids_;
  std::set<std::string> signal_requests_;
  std::map<std::pair<DeadlineKind, std::int64_t>, Ns> deadline_of_;
  std::set<Deadline> deadlines_;
};

// Sets every deadline that follows from the stored state, timers apart (lifecycle.cc).
void rebuild_deadlines(Record& record);

}  // namespace holdfast::history
