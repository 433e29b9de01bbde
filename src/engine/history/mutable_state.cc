#include "history/mutable_state.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <algorithm>

#include "base/check.h"
#include "history/apply.h"

namespace holdfast::history {
namespace {

bool workflow_task_event(enums::EventType type) {
  return type == enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED ||
         type == enums::EVENT_TYPE_WORKFLOW_TASK_STARTED ||
         type == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED ||
         type == enums::EVENT_TYPE_WORKFLOW_TASK_FAILED || type == enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT;
}

// Links completions to the started events that were buffered with them.
class StartedIds {
 public:
  void saw(Record& record, const Event& event) {
    if (event.has_activity_task_started_event_attributes()) {
      ids_[event.activity_task_started_event_attributes().scheduled_event_id()] = event.event_id();
    } else if (event.has_child_workflow_execution_started_event_attributes()) {
      ids_[event.child_workflow_execution_started_event_attributes().initiated_event_id()] = event.event_id();
      child_workflow::apply_started(record, event);  // once more: it has its id now
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

bool MutableState::would_buffer(enums::EventType type) const {
  return (workflow_task_started() || applying_commands_) && waits(type) != Waits::kNo;
}

std::int64_t MutableState::record(Event&& event) {
  const enums::EventType type = event.event_type();
  const bool buffer = would_buffer(type);
  if (speculative_ && !workflow_task_event(type)) {
    // Something else enters the history: the speculative task becomes an ordinary one, before it.
    workflow_task::make_real(*this);
  }
  auto& state = record_.s();
  auto* events = buffer ? state.mutable_buffered_events() : unsaved_.mutable_events();
  if (buffer) {
    event.set_event_id(kBufferedEventId);
  } else {
    event.set_event_id(state.next_event_id());
    state.set_next_event_id(state.next_event_id() + 1);
  }
  const std::int64_t id = event.event_id();
  events->Add(std::move(event));
  apply(record_, *events->rbegin());
  return id;
}

bool MutableState::flush_buffered() {
  auto& state = record_.s();
  if (state.buffered_events().empty() || workflow_task_started()) return false;
  google::protobuf::RepeatedPtrField<Event> buffered;
  buffered.Swap(state.mutable_buffered_events());
  std::vector<Event*> order;
  for (Event& event : buffered) {
    if (waits(event.event_type()) != Waits::kLast) order.push_back(&event);
  }
  for (Event& event : buffered) {
    if (waits(event.event_type()) == Waits::kLast) order.push_back(&event);
  }
  StartedIds started;
  for (Event* event : order) {
    event->set_event_id(state.next_event_id());
    state.set_next_event_id(state.next_event_id() + 1);
    started.saw(record_, *event);
    started.link(*event);
    unsaved_.add_events()->Swap(event);
  }
  return true;
}

bool MutableState::drop_buffered_timer_fired(std::int64_t started_event_id) {
  auto* buffered = record_.s().mutable_buffered_events();
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
  for (const Event& event : s().buffered_events()) bytes += bytes_of(event);
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
  std::int64_t bytes = s().history_bytes();
  for (; sealed_events_ < unsaved_.events_size(); ++sealed_events_) {
    bytes += bytes_in_history(unsaved_.events(sealed_events_));
  }
  record_.s().set_history_bytes(bytes);
}

MutableState::Snapshot MutableState::snapshot() const {
  return {s(), unsaved_.events_size(), speculative_, updates_.snapshot()};
}

void MutableState::rollback(Snapshot snapshot) {
  record_.reset(std::move(snapshot.state));
  HF_CHECK(unsaved_.events_size() >= snapshot.unsaved_events);
  unsaved_.mutable_events()->DeleteSubrange(snapshot.unsaved_events,
                                            unsaved_.events_size() - snapshot.unsaved_events);
  sealed_events_ = std::min(sealed_events_, unsaved_.events_size());
  speculative_ = snapshot.speculative;
  updates_.restore(std::move(snapshot.updates));
  effects_ = {};
  applying_commands_ = false;
}

std::string MutableState::serialize_state() const {
  if (!speculative_) return serialize(s());
  stored::ExecutionState durable = s();
  durable.clear_workflow_task();
  durable.mutable_workflow_task()->set_attempt(1);
  return serialize(durable);
}

}  // namespace holdfast::history
