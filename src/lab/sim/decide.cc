#include <set>

#include "base/ids.h"
#include "sim/workers.h"

namespace holdfast::sim {
namespace {

struct Progress {
  Expected expected;
  std::string type;
  std::vector<std::string> signals;
  std::set<std::string> activities;  // scheduled
  std::set<std::string> timers;      // started
  std::set<std::string> children;    // initiated
  std::size_t activities_over = 0;
  std::size_t timers_over = 0;
  std::size_t children_over = 0;
  std::size_t updates = 0;
};

Progress read(const Events& events) {
  Progress progress;
  for (const auto& event : events) {
    switch (event.event_type()) {
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: {
        const auto& started = event.workflow_execution_started_event_attributes();
        progress.type = started.workflow_type().name();
        progress.expected = parse_input(text_of(started.input()));
        break;
      }
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        progress.signals.push_back(text_of(event.workflow_execution_signaled_event_attributes().input()));
        break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: ++progress.updates; break;
      case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        progress.activities.insert(event.activity_task_scheduled_event_attributes().activity_id());
        break;
      case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
      case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: ++progress.activities_over; break;
      case enums::EVENT_TYPE_TIMER_STARTED:
        progress.timers.insert(event.timer_started_event_attributes().timer_id());
        break;
      case enums::EVENT_TYPE_TIMER_FIRED: ++progress.timers_over; break;
      case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
        progress.children.insert(
            event.start_child_workflow_execution_initiated_event_attributes().workflow_id());
        break;
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: ++progress.children_over; break;
      default: break;
    }
  }
  return progress;
}

void schedule_activity(const std::string& workflow_id, const std::string& id,
                       ws::RespondWorkflowTaskCompletedRequest& request) {
  auto& command = *request.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
  auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
  attributes.set_activity_id(id);
  attributes.mutable_activity_type()->set_name("step");
  attributes.mutable_task_queue()->set_name(kQueue);
  attributes.mutable_start_to_close_timeout()->set_seconds(5);
  // A function of the names, so that every replay schedules the same.
  const std::uint64_t kind = stable_hash(workflow_id + id) % 8;
  if (kind < 3) attributes.mutable_heartbeat_timeout()->set_seconds(3);
  auto& retry = *attributes.mutable_retry_policy();
  retry.mutable_initial_interval()->set_nanos(100'000'000);
  retry.set_backoff_coefficient(2);
  retry.mutable_maximum_interval()->set_seconds(5);
  retry.set_maximum_attempts(kind == 7 ? 1 : kind == 6 ? 3 : 0);
}

void start_timer(const std::string& workflow_id, const std::string& id,
                 ws::RespondWorkflowTaskCompletedRequest& request) {
  auto& command = *request.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_START_TIMER);
  auto& attributes = *command.mutable_start_timer_command_attributes();
  attributes.set_timer_id(id);
  const std::uint64_t draw = stable_hash(workflow_id + id);
  attributes.mutable_start_to_fire_timeout()->set_seconds(static_cast<std::int64_t>(1 + draw % 40));
}

void start_child(const std::string& id, ws::RespondWorkflowTaskCompletedRequest& request) {
  auto& command = *request.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
  auto& attributes = *command.mutable_start_child_workflow_execution_command_attributes();
  attributes.set_workflow_id(id);
  attributes.mutable_workflow_type()->set_name("child");
  attributes.mutable_task_queue()->set_name(kQueue);
  attributes.mutable_workflow_task_timeout()->set_seconds(4);
}

}  // namespace

void decide(const Events& events, const std::string& workflow_id, std::size_t updates_now,
            ws::RespondWorkflowTaskCompletedRequest& request) {
  const Progress progress = read(events);
  std::vector<std::string> work = progress.signals;
  if (progress.type == "child") work = {"c"};
  bool open = false;
  for (const std::string& name : work) {
    if (!progress.activities.contains("a" + name)) {
      schedule_activity(workflow_id, "a" + name, request);
      open = true;
    }
    if (!progress.timers.contains("t" + name)) {
      start_timer(workflow_id, "t" + name, request);
      open = true;
    }
  }
  for (int i = 0; i < progress.expected.children; ++i) {
    const std::string id = workflow_id + "-child-" + std::to_string(i);
    if (!progress.children.contains(id)) {
      start_child(id, request);
      open = true;
    }
  }
  const bool over = !open && progress.signals.size() >= static_cast<std::size_t>(progress.expected.signals) &&
                    progress.updates + updates_now >= static_cast<std::size_t>(progress.expected.updates) &&
                    progress.activities_over == progress.activities.size() &&
                    progress.timers_over == progress.timers.size() &&
                    progress.children_over == progress.children.size();
  if (over && progress.expected.chain > 0) {
    auto& command = *request.add_commands();
    command.set_command_type(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);
    auto& attributes = *command.mutable_continue_as_new_workflow_execution_command_attributes();
    attributes.mutable_workflow_type()->set_name("flow");
    attributes.mutable_task_queue()->set_name(kQueue);
    *attributes.mutable_input() = payloads_of("0 0 0 " + std::to_string(progress.expected.chain - 1));
    attributes.mutable_workflow_task_timeout()->set_seconds(4);
  } else if (over) {
    auto& command = *request.add_commands();
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    *command.mutable_complete_workflow_execution_command_attributes()->mutable_result() = payloads_of("done");
  }
}

}  // namespace holdfast::sim
