// Bounds of fields. Every field of every request has one, or stands in the list of those that have none; the
// walk over bytes and the walk over a message in memory say the same; what is cheap to send and dear to hold
// is refused before it is held.

#include "api/field_bounds.h"

#include <gmock/gmock.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "api/messages.h"
#include "api/method.h"
#include "api/request_check.h"
#include "api/wire_check.h"

namespace holdfast::api {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using testing::HasSubstr;

Result<std::size_t> wire(const Descriptor& type, const std::string& bytes) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()), 700);
  return check_wire(type, stream);
}
Result<std::size_t> wire(const Message& request) {
  return wire(*request.GetDescriptor(), request.SerializeAsString());
}

// What both walks say.
std::string said(const Message& request) {
  const auto on_wire = wire(request);
  const Status in_memory = check_request(request);
  EXPECT_EQ(on_wire.has_value(), in_memory.ok());
  if (on_wire) return "";
  EXPECT_EQ(on_wire.error().code(), Code::kInvalidArgument);
  EXPECT_EQ(on_wire.error().message(), in_memory.message());
  return in_memory.message();
}

std::string text(std::size_t bytes) {
  return std::string(bytes, 'x');
}

TEST(FieldBounds, AreTemporalsInItsWords) {
  ws::StartWorkflowExecutionRequest start;
  start.set_workflow_id(text(1000));
  start.set_identity(text(1000));
  start.mutable_task_queue()->set_name(text(1000));
  EXPECT_EQ(said(start), "");
  start.set_identity(text(1001));
  EXPECT_EQ(said(start), "Identity length exceeds limit.");
  start.set_workflow_id(text(1001));
  EXPECT_EQ(said(start), "WorkflowId length exceeds limit.");
  ws::PollActivityTaskQueueRequest poll;
  poll.mutable_task_queue()->set_name(text(1001));
  EXPECT_EQ(said(poll), "TaskQueue length exceeds limit.");
  ws::SignalWorkflowExecutionRequest signal;
  signal.set_request_id(text(5000));
  EXPECT_EQ(said(signal), "RequestId length exceeds limit.");
  signal.clear_request_id();
  signal.mutable_workflow_execution()->set_run_id(text(5000));
  EXPECT_EQ(said(signal), "RunId length exceeds limit.");
}

TEST(FieldBounds, HoldForWhatIsMadeOfMessages) {
  ws::StartWorkflowExecutionRequest start;
  start.mutable_input()->add_payloads()->set_data(text((2 << 20) - 100));
  EXPECT_EQ(said(start), "");
  start.mutable_input()->add_payloads()->set_data(text(200));
  EXPECT_EQ(said(start), "Blob data size exceeds limit.");
  start.clear_input();
  (*start.mutable_header()->mutable_fields())["h"].set_data(text(3 << 20));
  EXPECT_EQ(said(start), "Blob data size exceeds limit.");
  start.clear_header();
  (*start.mutable_memo()->mutable_fields())["m"].set_data(text(3 << 20));
  EXPECT_EQ(said(start), "Memo size exceeds limit.");
  start.clear_memo();
  start.mutable_user_metadata()->mutable_details()->set_data(text(100'000));
  EXPECT_EQ(said(start), "UserMetadata size exceeds limit.");
  ws::RegisterNamespaceRequest add;
  (*add.mutable_data())["k"] = text(5000);
  EXPECT_EQ(said(add), "Data value length exceeds limit.");
  add.clear_data();
  add.set_description(text(15 << 20));
  EXPECT_EQ(said(add), "Description length exceeds limit.");
  ws::UpdateNamespaceRequest update;
  update.mutable_update_info()->set_description(text(4000));
  EXPECT_EQ(said(update), "");
  update.mutable_update_info()->set_description(text(5000));
  EXPECT_EQ(said(update), "Description length exceeds limit.");
  // Within a call within a call.
  ws::ExecuteMultiOperationRequest both;
  both.add_operations()->mutable_start_workflow()->set_identity(text(1001));
  EXPECT_EQ(said(both), "Identity length exceeds limit.");
}

// What Temporal answers by failing the task or the activity reaches who does that.
TEST(FieldBounds, LeaveCommandsAndResultsToTheirHandlers) {
  ws::RespondWorkflowTaskCompletedRequest completed;
  auto& schedule = *completed.add_commands()->mutable_schedule_activity_task_command_attributes();
  schedule.set_activity_id(text(5000));
  schedule.mutable_input()->add_payloads()->set_data(text(3 << 20));
  EXPECT_EQ(said(completed), "");
  completed.set_identity(text(5000));
  EXPECT_EQ(said(completed), "Identity length exceeds limit.");
  ws::RespondActivityTaskFailedRequest failed;
  failed.mutable_failure()->mutable_application_failure_info()->set_type(text(5000));
  failed.mutable_failure()->mutable_cause()->set_stack_trace(text(1 << 20));
  EXPECT_EQ(said(failed), "");
  ws::RespondActivityTaskCompletedRequest result;
  result.mutable_result()->add_payloads()->set_data(text(3 << 20));
  EXPECT_EQ(said(result), "");
}

// A field that a later protocol brings is bounded by its type until somebody thinks about it.
TEST(FieldBounds, OnlyPayloadsMessagesAndFailuresHaveNone) {
  std::set<std::string> unbounded;
  std::set<const Descriptor*> seen;
  const auto look = [&](const auto& self, const Descriptor& type, const MessagePlan& plan) -> void {
    if (!seen.insert(&type).second) return;
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      const FieldPlan* bound = plan.find(field.number());
      ASSERT_NE(bound, nullptr) << field.full_name();
      if (bound->kind == FieldPlan::Kind::kBytes && bound->most_bytes == kUnbounded) {
        unbounded.insert(field.full_name());
      }
      if (bound->message != nullptr) self(self, *field.message_type(), *bound->message);
    }
  };
  for (std::size_t i = 0; i < kMethodCount; ++i) {
    const auto request = new_request(static_cast<Method>(i));
    const MessagePlan* plan = plan_of(*request->GetDescriptor());
    ASSERT_NE(plan, nullptr);
    look(look, *request->GetDescriptor(), *plan);
  }
  EXPECT_THAT(unbounded, testing::UnorderedElementsAre("temporal.api.common.v1.Payload.data",
                                                       "temporal.api.common.v1.Payload.MetadataEntry.value",
                                                       "google.protobuf.Any.value",
                                                       "temporal.api.failure.v1.Failure.message",
                                                       "temporal.api.failure.v1.Failure.stack_trace"));
}

TEST(WireCheck, CountsWhatTheParserWouldMake) {
  ws::StartWorkflowExecutionRequest start;
  start.mutable_input()->add_payloads()->set_data(text(1 << 20));
  const auto large = wire(start);
  ASSERT_TRUE(large);
  EXPECT_GT(*large, 1U << 20);
  EXPECT_LT(*large, (1U << 20) + 4096);
  // Two bytes each on the wire.
  start.clear_input();
  for (int i = 0; i < 100'000; ++i) start.mutable_input()->add_payloads();
  const auto many = wire(start);
  ASSERT_TRUE(many);
  EXPECT_GE(*many + *many / 4, start.SpaceUsedLong());
  EXPECT_LE(*many, 2 * start.SpaceUsedLong());
}

TEST(WireCheck, RefusesWhatIsCheapToSendAndDearToHold) {
  const Descriptor& type = *ws::StartWorkflowExecutionRequest::descriptor();
  ws::StartWorkflowExecutionRequest many;
  for (std::size_t i = 0; i <= kMaxFields; ++i) many.mutable_input()->add_payloads();
  EXPECT_THAT(wire(many).error().message(), HasSubstr("more than 200000 fields"));
  // Unknown fields: many small ones, a large one; and a group, which no message has.
  std::string small;
  for (std::size_t i = 0; i <= kMaxFields; ++i) small += std::string("\xF8\x3F\x01", 3);
  EXPECT_THAT(wire(type, small).error().message(), HasSubstr("more than 200000 fields"));
  const std::string large = std::string("\xFA\x3F\x80\x80\x80\x01", 6) + text(2 << 20);
  EXPECT_THAT(wire(type, large).error().message(), HasSubstr("does not know"));
  EXPECT_THAT(wire(type, std::string(5000, '\x0B')).error().message(), HasSubstr("is not a valid"));
}

TEST(WireCheck, WhatIsNoMessageIsRefused) {
  const Descriptor& type = *ws::StartWorkflowExecutionRequest::descriptor();
  for (const std::string& bytes :
       {std::string("\x0A\x05"
                    "abc"),
        std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), std::string(3, '\0')}) {
    const auto checked = wire(type, bytes);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(checked.error().message(), HasSubstr("is not a valid temporal.api"));
  }
}

}  // namespace
}  // namespace holdfast::api
