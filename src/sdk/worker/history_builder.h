#pragma once

// For tests: writes histories the way an engine would.

#include <string>

#include "client/convert.h"
#include "worker/workflow_run.h"

namespace holdfast::worker {

class HistoryBuilder {
 public:
  HistoryBuilder() = default;

  HistoryEvent& add(enums::EventType type) {
    HistoryEvent& event = *events_.Add();
    event.set_event_id(events_.size());
    event.set_event_type(type);
    time_ += std::chrono::seconds(1);
    client::set_timestamp(time_, event.mutable_event_time());
    return event;
  }
  template <typename... A>
  HistoryBuilder& started(const std::string& type, const A&... args) {
    auto& attributes = *add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
                            .mutable_workflow_execution_started_event_attributes();
    attributes.mutable_workflow_type()->set_name(type);
    attributes.mutable_task_queue()->set_name("queue");
    attributes.set_original_execution_run_id("run");
    client::set_payloads(to_payloads(args...), attributes.mutable_input());
    return *this;
  }
  // Scheduled and Started: a workflow task is out.
  HistoryBuilder& task() {
    add(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
    const auto scheduled = events_.size();
    add(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED)
        .mutable_workflow_task_started_event_attributes()
        ->set_scheduled_event_id(scheduled);
    return *this;
  }
  HistoryBuilder& completed() {
    add(enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED);
    return *this;
  }
  HistoryBuilder& task_failed() {
    add(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
    return *this;
  }
  std::int64_t activity_scheduled(const std::string& id, const std::string& type) {
    auto& event = add(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED);
    event.mutable_activity_task_scheduled_event_attributes()->set_activity_id(id);
    event.mutable_activity_task_scheduled_event_attributes()->mutable_activity_type()->set_name(type);
    return event.event_id();
  }
  template <typename T>
  HistoryBuilder& activity_completed(std::int64_t scheduled, const T& result) {
    auto& attributes =
        *add(enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED).mutable_activity_task_completed_event_attributes();
    attributes.set_scheduled_event_id(scheduled);
    *attributes.mutable_result()->add_payloads() = client::to_proto(to_payload(result));
    return *this;
  }
  std::int64_t timer_started(const std::string& id) {
    auto& event = add(enums::EVENT_TYPE_TIMER_STARTED);
    event.mutable_timer_started_event_attributes()->set_timer_id(id);
    return event.event_id();
  }
  HistoryBuilder& timer_fired(const std::string& id, std::int64_t started) {
    auto& attributes = *add(enums::EVENT_TYPE_TIMER_FIRED).mutable_timer_fired_event_attributes();
    attributes.set_timer_id(id);
    attributes.set_started_event_id(started);
    return *this;
  }
  template <typename... A>
  HistoryBuilder& signaled(const std::string& name, const A&... args) {
    auto& attributes = *add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
                            .mutable_workflow_execution_signaled_event_attributes();
    attributes.set_signal_name(name);
    client::set_payloads(to_payloads(args...), attributes.mutable_input());
    return *this;
  }
  HistoryBuilder& cancel_requested() {
    add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
        .mutable_workflow_execution_cancel_requested_event_attributes();
    return *this;
  }

  // What comes next comes so much later; events are a second apart otherwise.
  HistoryBuilder& later(std::chrono::seconds pause) {
    time_ += pause;
    return *this;
  }

  const Events& events() const { return events_; }
  std::string binary() const {
    pb::history::v1::History history;
    *history.mutable_events() = events_;
    return history.SerializeAsString();
  }

 private:
  Events events_;
  WallTime time_{std::chrono::seconds(1'700'000'000)};
};

}  // namespace holdfast::worker
