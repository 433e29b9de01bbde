#pragma once

// Record: the stored state of one execution, with the indexes that find things in it and the deadlines that
// follow from it. What the execution may hold many of stands in tables beside the state (holdings.h), and
// these fields of s() are empty. Two kinds of code write it: the functions that apply events (apply.h), and,
// for what follows from no event, the operations of this room (writable.h). Everybody else reads.
//
// Pure, one thread. What is not there is nullptr; erasing what is not there does nothing. Who asks for an
// entry that is not const is about to change it.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "history/holdings.h"
#include "history/state_rows.h"
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
  // A whole state; the indexes and deadlines are made from it.
  explicit Record(stored::ExecutionState whole);
  // A state without what it holds, and that.
  Record(stored::ExecutionState head, Holdings held);
  Record(Record&&) = default;
  Record& operator=(Record&&) = default;

  const stored::ExecutionState& s() const { return s_; }
  stored::ExecutionState& s() { return s_; }
  const Holdings& held() const { return held_; }
  // All of it in one message.
  stored::ExecutionState whole() const;
  // What changed since the last call, as rows; `head` instead of s().
  StateRows take_rows(const stored::ExecutionState& head) { return history::take_rows(head, held_); }
  // How many of them there are beside the row of the state.
  std::int64_t part_rows() const;
  // As of the last call of it.
  std::size_t in_memory() const;

  // An attempt at a change: from begin() to keep(), which lets it stand, or to rollback(), after which
  // nothing of it is left. It costs what it changes.
  void begin();
  void keep();
  void rollback();

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
  void add_child(stored::ChildInfo info);
  // It has been started.
  void child_started(std::int64_t initiated_event_id, const std::string& run_id,
                     std::int64_t started_event_id);
  void set_child_request(std::int64_t initiated_event_id, const std::string& request_id);
  void erase_child(std::int64_t initiated_event_id);
  // Those whose start has not been answered.
  const std::set<std::int64_t>& children_to_start() const { return children_to_start_; }
  // What the parent close policy says to them is still to be carried out.
  void add_parent_close(stored::ChildInfo info);
  void erase_parent_close(std::int64_t initiated_event_id);

  const stored::ExternalSignalInfo* external_signal(std::int64_t initiated_event_id) const;
  stored::ExternalSignalInfo* external_signal(std::int64_t initiated_event_id);
  void add_external_signal(stored::ExternalSignalInfo info);
  void erase_external_signal(std::int64_t initiated_event_id);
  const stored::ExternalCancelInfo* external_cancel(std::int64_t initiated_event_id) const;
  stored::ExternalCancelInfo* external_cancel(std::int64_t initiated_event_id);
  void add_external_cancel(stored::ExternalCancelInfo info);
  void erase_external_cancel(std::int64_t initiated_event_id);

  // The last one of this id.
  const stored::UpdateInfo* update_by_id(const std::string& update_id) const;
  void add_update(stored::UpdateInfo info);
  void update_completed(std::int64_t accepted_event_id, std::int64_t completed_event_id);

  bool signal_seen(const std::string& request_id) const { return signal_requests_.contains(request_id); }
  void remember_signal(const std::string& request_id);

  const Event& buffer(Event event);
  void erase_buffered(std::int64_t n);
  // All of them, in their order; none is left.
  std::vector<Event> take_buffered();
  std::int64_t buffered_bytes() const { return buffered_bytes_; }
  // Whether an end of this activity is buffered.
  bool end_is_buffered(std::int64_t scheduled_event_id) const {
    return buffered_ends_.contains(scheduled_event_id);
  }
  // The number of the buffered TimerFired of this timer.
  std::optional<std::int64_t> buffered_fire(const std::string& timer_id) const;

 private:
  // An entry enters the indexes, and leaves them.
  void enter(std::int64_t n, const stored::ActivityInfo& info);
  void leave(std::int64_t n, const stored::ActivityInfo& info);
  void enter(std::int64_t n, const stored::TimerInfo& info);
  void leave(std::int64_t n, const stored::TimerInfo& info);
  void enter(std::int64_t n, const stored::ChildInfo& info);
  void leave(std::int64_t n, const stored::ChildInfo& info);
  void enter(std::int64_t n, const stored::UpdateInfo& info);
  void leave(std::int64_t n, const stored::UpdateInfo& info);
  void enter(std::int64_t n, const std::string& signal_request_id);
  void leave(std::int64_t n, const std::string& signal_request_id);
  void enter(std::int64_t n, const Event& buffered);
  void leave(std::int64_t n, const Event& buffered);
  void enter(std::int64_t, const stored::ExternalSignalInfo&) {}
  void leave(std::int64_t, const stored::ExternalSignalInfo&) {}
  void enter(std::int64_t, const stored::ExternalCancelInfo&) {}
  void leave(std::int64_t, const stored::ExternalCancelInfo&) {}
  template <typename Info>
  Info& add(Entries<Info>& table, std::int64_t n, Info info);
  template <typename Info>
  void erase(Entries<Info>& table, std::int64_t n);
  void make_indexes();

  stored::ExecutionState s_;
  Holdings held_;
  std::unique_ptr<stored::ExecutionState> before_;
  std::unordered_map<std::string, std::int64_t> activity_ids_;
  std::int64_t heartbeat_details_bytes_ = 0;
  std::unordered_map<std::string, std::int64_t> timer_ids_;
  std::unordered_map<std::string, std::int64_t> update_ids_;
  std::unordered_set<std::string_view> signal_requests_;  // of the entries themselves
  std::set<std::int64_t> children_to_start_;
  std::set<std::int64_t> buffered_ends_;
  std::unordered_map<std::string, std::int64_t> buffered_fires_;
  std::int64_t buffered_bytes_ = 0;
  std::map<std::pair<DeadlineKind, std::int64_t>, Ns> deadline_of_;
  std::set<Deadline> deadlines_;
};

// Sets the deadlines that follow from the state without what it holds (lifecycle_apply.cc).
void rebuild_deadlines(Record& record);

}  // namespace holdfast::history
