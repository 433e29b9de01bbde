#include "flow.h"

#include <set>
#include <string>

namespace holdfast::crash {
namespace {

using Request = ws::RespondWorkflowTaskCompletedRequest;
using google::protobuf::util::TimeUtil;

struct Progress {
  int activities_scheduled = 0;
  int activities_completed = 0;
  int timers_started = 0;
  int timers_fired = 0;
  std::set<std::string> signals;
  int updates = 0;
};

Progress progress_of(const pb::history::v1::History& history) {
  Progress p;
  for (const auto& e : history.events()) {
    switch (e.event_type()) {
      case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: ++p.activities_scheduled; break;
      case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED: ++p.activities_completed; break;
      case enums::EVENT_TYPE_TIMER_STARTED: ++p.timers_started; break;
      case enums::EVENT_TYPE_TIMER_FIRED: ++p.timers_fired; break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        p.signals.insert(get_text(e.workflow_execution_signaled_event_attributes().input()));
        break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: ++p.updates; break;
      default: break;
    }
  }
  return p;
}

void send(Request& to, const std::string& id, const std::string& instance,
          const google::protobuf::Message& body) {
  auto* message = to.add_messages();
  message->set_id(id);
  message->set_protocol_instance_id(instance);
  message->mutable_body()->PackFrom(body);
  auto* command = to.add_commands();
  command->set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
  command->mutable_protocol_message_command_attributes()->set_message_id(id);
}

// Accepts and completes; the outcome follows from the request, so a repeat can be compared.
bool answer_update(const pb::protocol::v1::Message& message, Request& to) {
  pb::update::v1::Request request;
  if (!message.body().UnpackTo(&request)) return false;
  pb::update::v1::Acceptance acceptance;
  acceptance.set_accepted_request_message_id(message.id());
  acceptance.set_accepted_request_sequencing_event_id(message.event_id());
  *acceptance.mutable_accepted_request() = request;
  send(to, message.id() + "/accept", message.protocol_instance_id(), acceptance);
  pb::update::v1::Response response;
  *response.mutable_meta() = request.meta();
  set_text(*response.mutable_outcome()->mutable_success(), "done: " + get_text(request.input().args()));
  send(to, message.id() + "/complete", message.protocol_instance_id(), response);
  return true;
}

void schedule_activity(Request& to, int step) {
  auto* command = to.add_commands();
  command->set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
  auto& a = *command->mutable_schedule_activity_task_command_attributes();
  a.set_activity_id("step-" + std::to_string(step));
  a.mutable_activity_type()->set_name("step");
  a.mutable_task_queue()->set_name(kTaskQueue);
  set_text(*a.mutable_input(), std::to_string(step));
  *a.mutable_schedule_to_close_timeout() = TimeUtil::SecondsToDuration(120);
  *a.mutable_start_to_close_timeout() = TimeUtil::MillisecondsToDuration(1500);
  auto& retry = *a.mutable_retry_policy();
  *retry.mutable_initial_interval() = TimeUtil::MillisecondsToDuration(20);
  *retry.mutable_maximum_interval() = TimeUtil::MillisecondsToDuration(200);
  retry.set_backoff_coefficient(2);
}

void start_timer(Request& to, int step) {
  auto* command = to.add_commands();
  command->set_command_type(enums::COMMAND_TYPE_START_TIMER);
  auto& a = *command->mutable_start_timer_command_attributes();
  a.set_timer_id("pause-" + std::to_string(step));
  *a.mutable_start_to_fire_timeout() = TimeUtil::MillisecondsToDuration(20);
}

void complete(Request& to) {
  auto* command = to.add_commands();
  command->set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
  set_text(*command->mutable_complete_workflow_execution_command_attributes()->mutable_result(), "over");
}

}  // namespace

void set_text(pb::common::v1::Payloads& payloads, const std::string& text) {
  auto* payload = payloads.add_payloads();
  (*payload->mutable_metadata())["encoding"] = "binary/plain";
  payload->set_data(text);
}

std::string get_text(const pb::common::v1::Payloads& payloads) {
  return payloads.payloads_size() == 0 ? std::string() : payloads.payloads(0).data();
}

namespace {

std::string ballast_of(const std::string& name) {
  constexpr std::size_t kBallastBytes = 300'000;
  std::string out;
  if (!name.ends_with("/signal-2")) return out;
  while (out.size() < kBallastBytes) out += name;
  return out;
}

}  // namespace

void add_ballast(pb::common::v1::Payloads& payloads, const std::string& name) {
  if (std::string ballast = ballast_of(name); !ballast.empty()) set_text(payloads, ballast);
}

bool has_its_ballast(const pb::common::v1::Payloads& payloads) {
  const std::string expected = ballast_of(get_text(payloads));
  return payloads.payloads_size() < 2 ? expected.empty() : payloads.payloads(1).data() == expected;
}

ws::RespondWorkflowTaskCompletedRequest decide(const ws::PollWorkflowTaskQueueResponse& task) {
  Request request;
  request.set_namespace_(kNamespace);
  request.set_identity("crash-worker");
  request.set_task_token(task.task_token());
  Progress p = progress_of(task.history());
  for (const auto& message : task.messages()) {
    if (answer_update(message, request)) ++p.updates;
  }
  if (p.activities_completed < p.activities_scheduled || p.timers_fired < p.timers_started) return request;
  if (p.timers_started < p.activities_completed) {
    start_timer(request, p.timers_started);
  } else if (p.activities_scheduled < kSteps) {
    schedule_activity(request, p.activities_scheduled);
  } else if (static_cast<int>(p.signals.size()) >= kSignals && p.updates >= kUpdates) {
    complete(request);
  }
  return request;
}

}  // namespace holdfast::crash
