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
  if (buffer) {
    event.set_event_id(kBufferedEventId);
    apply(record_, record_.buffer(std::move(event)));
    return kBufferedEventId;
  }
  auto& state = record_.s();
  const std::int64_t id = state.next_event_id();
  event.set_event_id(id);
  state.set_next_event_id(id + 1);
  unsaved_.mutable_events()->Add(std::move(event));
  apply(record_, *unsaved_.events().rbegin());
  return id;
}

void MutableState::annotate(std::int64_t event_id, pb::command::v1::Command* command) {
  const std::int64_t behind = s().next_event_id() - event_id;
  if (behind <= 0 || behind > unsaved_.events_size()) return;
  Event& event = *unsaved_.mutable_events(static_cast<int>(unsaved_.events_size() - behind));
  if (command->has_user_metadata()) event.mutable_user_metadata()->Swap(command->mutable_user_metadata());
  event.mutable_event_group_markers()->Swap(command->mutable_event_group_markers());
}

bool MutableState::flush_buffered() {
  if (held().buffered_events.empty() || workflow_task_started()) return false;
  auto& state = record_.s();
  std::vector<Event> buffered = record_.take_buffered();
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

void MutableState::begin() {
  HF_CHECK(!before_);
  record_.begin();
  before_ = {unsaved_.events_size(), speculative_, updates_.snapshot()};
}

void MutableState::keep() {
  record_.keep();
  before_.reset();
}

void MutableState::rollback() {
  HF_CHECK(before_ && unsaved_.events_size() >= before_->unsaved_events);
  record_.rollback();
  unsaved_.mutable_events()->DeleteSubrange(before_->unsaved_events,
                                            unsaved_.events_size() - before_->unsaved_events);
  sealed_events_ = std::min(sealed_events_, unsaved_.events_size());
  speculative_ = before_->speculative;
  updates_.restore(std::move(before_->updates));
  before_.reset();
  effects_ = {};
  applying_commands_ = false;
}

StateRows MutableState::take_rows() {
  if (!speculative_) return record_.take_rows(s());
  stored::ExecutionState durable = s();
  durable.clear_workflow_task();
  durable.mutable_workflow_task()->set_attempt(1);
  return record_.take_rows(durable);
}

}  // namespace holdfast::history
