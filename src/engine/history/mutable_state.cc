#include "history/mutable_state.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <algorithm>

#include "base/check.h"
#include "history/workflow_task.h"

namespace holdfast::history {
namespace {

// What waits while a workflow task is started: everything but the events of commands, of workflow tasks and
// of the execution's end, and what an update's worker said.
bool bufferable(enums::EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
    case enums::EVENT_TYPE_TIMER_FIRED:
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED: return true;
    default: return false;
  }
}

bool completion(enums::EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: return true;
    default: return false;
  }
}

bool workflow_task_event(enums::EventType type) {
  return type == enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED ||
         type == enums::EVENT_TYPE_WORKFLOW_TASK_STARTED ||
         type == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED ||
         type == enums::EVENT_TYPE_WORKFLOW_TASK_FAILED || type == enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT;
}

template <typename Field, typename Id>
auto* find_sorted(Field* field, std::int64_t id, Id id_of) {
  auto found = std::lower_bound(field->begin(), field->end(), id,
                                [&](const auto& info, std::int64_t wanted) { return id_of(info) < wanted; });
  return found != field->end() && id_of(*found) == id ? &*found : nullptr;
}

template <typename Field, typename Info>
void erase_from(Field* field, const Info* info) {
  if (info == nullptr) return;
  for (int i = 0; i < field->size(); ++i) {
    if (&field->Get(i) == info) {
      field->DeleteSubrange(i, 1);
      return;
    }
  }
}

constexpr auto kInitiated = [](const auto& info) { return info.initiated_event_id(); };
constexpr auto kScheduled = [](const auto& info) { return info.scheduled_event_id(); };
constexpr auto kStarted = [](const auto& info) { return info.started_event_id(); };

// Links completions to the started events that were buffered with them.
class StartedIds {
 public:
  void saw(MutableState& ms, const Event& event) {
    if (event.has_activity_task_started_event_attributes()) {
      ids_[event.activity_task_started_event_attributes().scheduled_event_id()] = event.event_id();
    } else if (event.has_child_workflow_execution_started_event_attributes()) {
      const auto initiated = event.child_workflow_execution_started_event_attributes().initiated_event_id();
      ids_[initiated] = event.event_id();
      if (auto* child = ms.child(initiated)) child->set_started_event_id(event.event_id());
    }
  }
  template <typename Attributes>
  void link_activity(Attributes* attributes) {
    const auto found = ids_.find(attributes->scheduled_event_id());
    if (found != ids_.end()) attributes->set_started_event_id(found->second);
  }
  template <typename Attributes>
  void link_child(Attributes* attributes) {
    const auto found = ids_.find(attributes->initiated_event_id());
    if (found != ids_.end()) attributes->set_started_event_id(found->second);
  }
  void link(Event& event) {
    switch (event.event_type()) {
      case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
        return link_activity(event.mutable_activity_task_completed_event_attributes());
      case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
        return link_activity(event.mutable_activity_task_failed_event_attributes());
      case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
        return link_activity(event.mutable_activity_task_timed_out_event_attributes());
      case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
        return link_activity(event.mutable_activity_task_canceled_event_attributes());
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
        return link_child(event.mutable_child_workflow_execution_completed_event_attributes());
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
        return link_child(event.mutable_child_workflow_execution_failed_event_attributes());
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
        return link_child(event.mutable_child_workflow_execution_canceled_event_attributes());
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
        return link_child(event.mutable_child_workflow_execution_timed_out_event_attributes());
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
        return link_child(event.mutable_child_workflow_execution_terminated_event_attributes());
      default: return;
    }
  }

 private:
  std::map<std::int64_t, std::int64_t> ids_;
};

}  // namespace

std::string serialize(const google::protobuf::Message& message) {
  std::string out;
  out.reserve(message.ByteSizeLong());
  google::protobuf::io::StringOutputStream stream(&out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeWithCachedSizes(&coded);
  coded.Trim();
  return out;
}

MutableState::MutableState(stored::ExecutionState state) : s_(std::move(state)) {
  rebuild_indexes();
}

Event& MutableState::add_event(enums::EventType type, Ns now) {
  const bool buffer = (workflow_task_started() || applying_commands_) && bufferable(type);
  if (speculative_ && !workflow_task_event(type)) {
    // Something else enters the history: the speculative task becomes an ordinary one, before it.
    workflow_task::make_real(*this, now);
  }
  Event* event = nullptr;
  if (buffer) {
    event = s_.add_buffered_events();
    event->set_event_id(kBufferedEventId);
  } else {
    event = unsaved_.add_events();
    event->set_event_id(s_.next_event_id());
    s_.set_next_event_id(s_.next_event_id() + 1);
  }
  event->set_event_type(type);
  set_time(event->mutable_event_time(), now);
  return *event;
}

bool MutableState::flush_buffered() {
  if (s_.buffered_events().empty() || workflow_task_started()) return false;
  google::protobuf::RepeatedPtrField<Event> buffered;
  buffered.Swap(s_.mutable_buffered_events());
  std::vector<Event*> order;
  for (Event& event : buffered) {
    if (!completion(event.event_type())) order.push_back(&event);
  }
  for (Event& event : buffered) {
    if (completion(event.event_type())) order.push_back(&event);
  }
  StartedIds started;
  for (Event* event : order) {
    event->set_event_id(s_.next_event_id());
    s_.set_next_event_id(s_.next_event_id() + 1);
    started.saw(*this, *event);
    started.link(*event);
    unsaved_.add_events()->Swap(event);
  }
  return true;
}

bool MutableState::drop_buffered_timer_fired(std::int64_t started_event_id) {
  auto* buffered = s_.mutable_buffered_events();
  for (int i = 0; i < buffered->size(); ++i) {
    if (buffered->Get(i).has_timer_fired_event_attributes() &&
        buffered->Get(i).timer_fired_event_attributes().started_event_id() == started_event_id) {
      buffered->DeleteSubrange(i, 1);
      return true;
    }
  }
  return false;
}

std::int64_t MutableState::buffered_bytes() const {
  std::int64_t bytes = 0;
  for (const Event& event : s_.buffered_events()) bytes += static_cast<std::int64_t>(event.ByteSizeLong());
  return bytes;
}

pb::history::v1::History MutableState::take_unsaved() {
  seal();
  pb::history::v1::History page;
  page.Swap(&unsaved_);
  sealed_events_ = 0;
  return page;
}

void MutableState::seal() {
  if (sealed_events_ == unsaved_.events_size()) return;
  std::int64_t bytes = s_.history_bytes();
  for (; sealed_events_ < unsaved_.events_size(); ++sealed_events_) {
    bytes += static_cast<std::int64_t>(unsaved_.events(sealed_events_).ByteSizeLong()) + 4;
  }
  s_.set_history_bytes(bytes);
}

void MutableState::set_deadline(DeadlineKind kind, std::int64_t id, Ns at) {
  const auto key = std::pair(kind, id);
  const auto found = deadline_of_.find(key);
  if (found != deadline_of_.end()) {
    if (found->second == at) return;
    deadlines_.erase({found->second, kind, id});
    if (at == 0) {
      deadline_of_.erase(found);
      return;
    }
    found->second = at;
  } else if (at == 0) {
    return;
  } else {
    deadline_of_.emplace(key, at);
  }
  deadlines_.insert({at, kind, id});
}

Deadline MutableState::next_deadline() const {
  return deadlines_.empty() ? Deadline{} : *deadlines_.begin();
}

stored::ActivityInfo* MutableState::activity(std::int64_t scheduled_event_id) {
  return find_sorted(s_.mutable_activities(), scheduled_event_id, kScheduled);
}

stored::ActivityInfo* MutableState::activity_by_id(const std::string& activity_id) {
  const auto found = activity_ids_.find(activity_id);
  return found == activity_ids_.end() ? nullptr : activity(found->second);
}

stored::ActivityInfo* MutableState::add_activity() {
  return s_.add_activities();
}

void MutableState::index_activity(const stored::ActivityInfo& info) {
  activity_ids_[info.activity_id()] = info.scheduled_event_id();
}

void MutableState::erase_activity(std::int64_t scheduled_event_id) {
  const auto* info = activity(scheduled_event_id);
  if (info == nullptr) return;
  set_deadline(DeadlineKind::kActivity, scheduled_event_id, 0);
  activity_ids_.erase(info->activity_id());
  erase_from(s_.mutable_activities(), info);
}

stored::TimerInfo* MutableState::timer(std::int64_t started_event_id) {
  return find_sorted(s_.mutable_timers(), started_event_id, kStarted);
}

stored::TimerInfo* MutableState::timer_by_id(const std::string& timer_id) {
  const auto found = timer_ids_.find(timer_id);
  return found == timer_ids_.end() ? nullptr : timer(found->second);
}

void MutableState::add_timer(stored::TimerInfo info) {
  timer_ids_[info.timer_id()] = info.started_event_id();
  set_deadline(DeadlineKind::kTimer, info.started_event_id(), info.fire_ns());
  *s_.add_timers() = std::move(info);
}

void MutableState::erase_timer(std::int64_t started_event_id) {
  const auto* info = timer(started_event_id);
  if (info == nullptr) return;
  set_deadline(DeadlineKind::kTimer, started_event_id, 0);
  timer_ids_.erase(info->timer_id());
  erase_from(s_.mutable_timers(), info);
}

stored::ChildInfo* MutableState::child(std::int64_t initiated_event_id) {
  return find_sorted(s_.mutable_children(), initiated_event_id, kInitiated);
}

void MutableState::erase_child(std::int64_t initiated_event_id) {
  erase_from(s_.mutable_children(), child(initiated_event_id));
}

stored::ExternalSignalInfo* MutableState::external_signal(std::int64_t initiated_event_id) {
  return find_sorted(s_.mutable_external_signals(), initiated_event_id, kInitiated);
}

void MutableState::erase_external_signal(std::int64_t initiated_event_id) {
  erase_from(s_.mutable_external_signals(), external_signal(initiated_event_id));
}

stored::ExternalCancelInfo* MutableState::external_cancel(std::int64_t initiated_event_id) {
  return find_sorted(s_.mutable_external_cancels(), initiated_event_id, kInitiated);
}

void MutableState::erase_external_cancel(std::int64_t initiated_event_id) {
  erase_from(s_.mutable_external_cancels(), external_cancel(initiated_event_id));
}

void MutableState::remember_signal(const std::string& request_id) {
  if (signal_requests_.insert(request_id).second) s_.add_signal_request_ids(request_id);
}

MutableState::Snapshot MutableState::snapshot() const {
  return {s_, unsaved_.events_size(), speculative_, updates_.snapshot()};
}

void MutableState::rollback(Snapshot snapshot) {
  s_.Swap(&snapshot.state);
  HF_CHECK(unsaved_.events_size() >= snapshot.unsaved_events);
  unsaved_.mutable_events()->DeleteSubrange(snapshot.unsaved_events,
                                            unsaved_.events_size() - snapshot.unsaved_events);
  sealed_events_ = std::min(sealed_events_, unsaved_.events_size());
  speculative_ = snapshot.speculative;
  updates_.restore(std::move(snapshot.updates));
  effects_ = {};
  applying_commands_ = false;
  rebuild_indexes();
}

std::string MutableState::serialize_state() const {
  if (!speculative_) return serialize(s_);
  stored::ExecutionState durable = s_;
  durable.clear_workflow_task();
  durable.mutable_workflow_task()->set_attempt(1);
  return serialize(durable);
}

void MutableState::rebuild_indexes() {
  activity_ids_.clear();
  timer_ids_.clear();
  deadline_of_.clear();
  deadlines_.clear();
  signal_requests_.clear();
  for (const auto& id : s_.signal_request_ids()) signal_requests_.insert(id);
  for (const auto& info : s_.activities()) index_activity(info);
  for (const auto& info : s_.timers()) {
    timer_ids_[info.timer_id()] = info.started_event_id();
    set_deadline(DeadlineKind::kTimer, info.started_event_id(), info.fire_ns());
  }
  rebuild_deadlines(*this);
}

}  // namespace holdfast::history
