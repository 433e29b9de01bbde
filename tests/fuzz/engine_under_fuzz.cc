#include "engine_under_fuzz.h"

#include <google/protobuf/stubs/logging.h>

#include "api/messages.h"
#include "fuzz.h"

namespace holdfast::fuzz {

using api::Method;

EngineUnderFuzz::EngineUnderFuzz() {
  google::protobuf::SetLogHandler(nullptr);
}

Status EngineUnderFuzz::open() {
  core_.reset();
  engine::CoreOptions options;
  options.feed = true;
  core_ = std::make_unique<engine::EngineCore>(options, clock_, random_, store);
  if (Status opened = core_->open(); !opened.ok()) return opened;
  commit();
  return {};
}

void EngineUnderFuzz::commit() {
  while (core_->has_output()) {
    engine::Output output = core_->take_output();
    REQUIRE(store.commit(output.batch).ok());
    core_->committed(output.sequence);
    for (auto& release : output.releases) release.run();
    for (auto& waiting : output.visibility_calls)
      waiting.call.done(fail(Code::kUnimplemented, "there is no index here"));
  }
}

api::MessagePtr EngineUnderFuzz::ask(Method method, const google::protobuf::Message& request) {
  engine::Call call;
  call.method = method;
  call.request = api::new_request(method);
  if (!call.request->ParseFromString(request.SerializeAsString())) return nullptr;
  call.options.from_wire = true;
  // Answers may come when this is over: what they are put into lives as long as they may.
  auto answer = std::make_shared<api::MessagePtr>();
  call.done = [answer](Result<api::MessagePtr> result) {
    if (!result) {
      REQUIRE(result.error().code() != Code::kOk && result.error().code() != Code::kInternal);
      return;
    }
    REQUIRE(*result != nullptr);
    // A reader must be able to read it.
    REQUIRE(api::MessagePtr((*result)->New())->ParseFromString((*result)->SerializeAsString()));
    *answer = std::move(*result);
  };
  core_->submit(std::move(call));
  for (auto& release : core_->take_early()) release.run();
  commit();
  return std::move(*answer);
}

void EngineUnderFuzz::call(Method method, const std::string& bytes) {
  const auto request = api::new_request(method);
  if (request->ParseFromString(bytes)) (void)ask(method, *request);
}

void EngineUnderFuzz::advance(std::int64_t ns) {
  clock_.ns += ns;
  core_->tick();
  for (auto& release : core_->take_early()) release.run();
  commit();
}

void EngineUnderFuzz::begin_workflow() {
  ws::StartWorkflowExecutionRequest start;
  start.set_namespace_("default");
  start.set_workflow_id("w");
  start.set_request_id("r");
  start.mutable_workflow_type()->set_name("t");
  start.mutable_task_queue()->set_name("q");
  start.mutable_input()->add_payloads()->set_data("1");
  (void)ask(Method::kStartWorkflowExecution, start);

  ws::PollWorkflowTaskQueueRequest poll;
  poll.set_namespace_("default");
  poll.mutable_task_queue()->set_name("q");
  const auto take_task = [&] {
    const auto task = ask(Method::kPollWorkflowTaskQueue, poll);
    return task ? static_cast<ws::PollWorkflowTaskQueueResponse&>(*task).task_token() : std::string();
  };
  ws::RespondWorkflowTaskCompletedRequest done;
  done.set_namespace_("default");
  done.set_task_token(take_task());
  for (const char* id : {"a", "b"}) {
    auto* command = done.add_commands();
    command->set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto* activity = command->mutable_schedule_activity_task_command_attributes();
    activity->set_activity_id(id);
    activity->mutable_activity_type()->set_name("t");
    activity->mutable_task_queue()->set_name(id == std::string("a") ? "q" : "nobody");
    activity->mutable_start_to_close_timeout()->set_seconds(60);
  }
  auto* command = done.add_commands();
  command->set_command_type(enums::COMMAND_TYPE_START_TIMER);
  command->mutable_start_timer_command_attributes()->set_timer_id("t");
  command->mutable_start_timer_command_attributes()->mutable_start_to_fire_timeout()->set_seconds(5);
  command = done.add_commands();
  command->set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
  auto* child = command->mutable_start_child_workflow_execution_command_attributes();
  child->set_workflow_id("child");
  child->mutable_workflow_type()->set_name("t");
  child->mutable_task_queue()->set_name("nobody");
  (void)ask(Method::kRespondWorkflowTaskCompleted, done);

  ws::PollActivityTaskQueueRequest poll_activity;
  poll_activity.set_namespace_("default");
  poll_activity.mutable_task_queue()->set_name("q");
  if (const auto task = ask(Method::kPollActivityTaskQueue, poll_activity))
    activity_token = static_cast<ws::PollActivityTaskQueueResponse&>(*task).task_token();

  ws::SignalWorkflowExecutionRequest signal;
  signal.set_namespace_("default");
  signal.mutable_workflow_execution()->set_workflow_id("w");
  signal.set_signal_name("s");
  (void)ask(Method::kSignalWorkflowExecution, signal);
  workflow_token = take_task();
}

}  // namespace holdfast::fuzz
