// What the core holds for others is bounded in bytes: a reply that may be large is taken from the memory of
// who asked, a namespace has a size.

#include <gmock/gmock.h>

#include "base/memory_budget.h"
#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using testing::Driver;
using ::testing::HasSubstr;
using testing::Pending;

std::shared_ptr<Pending> read_history(Driver& d, HeldMemory& memory) {
  auto request = std::make_unique<ws::GetWorkflowExecutionHistoryRequest>();
  request->set_namespace_("default");
  request->mutable_execution()->set_workflow_id("w");
  auto pending = std::make_shared<Pending>();
  Call call;
  call.method = api::Method::kGetWorkflowExecutionHistory;
  call.request = std::move(request);
  call.options.memory = &memory;
  call.done = [pending](Result<api::MessagePtr> result) { pending->result = std::move(result); };
  d.core->submit(std::move(call));
  d.commit();
  return pending;
}

TEST(CoreMemory, AReplyIsTakenFromTheMemoryOfWhoAsks) {
  Driver d;
  ws::StartWorkflowExecutionRequest start;
  start.set_namespace_("default");
  start.set_workflow_id("w");
  start.mutable_workflow_type()->set_name("t");
  start.mutable_task_queue()->set_name("q");
  start.mutable_input()->add_payloads()->set_data(std::string(100'000, 'x'));
  d.call<ws::StartWorkflowExecutionResponse>(api::Method::kStartWorkflowExecution, start);

  MemoryBudget budget("replies", 150'000);
  HeldMemory one(budget);
  HeldMemory two(budget);
  EXPECT_TRUE(*read_history(d, one)->result);
  EXPECT_GT(one.bytes(), 100'000U);
  const auto refused = read_history(d, two);
  ASSERT_FALSE(*refused->result);
  EXPECT_EQ(refused->result->error().code(), Code::kResourceExhausted);
  EXPECT_THAT(refused->result->error().message(), HasSubstr("the memory for replies is used up"));
  EXPECT_EQ(refused->result->error().details().size(), 1U);
  one = HeldMemory();
  EXPECT_TRUE(*read_history(d, two)->result);
}

// What waits takes memory as long as it waits, and there is no other end to it.
TEST(CoreMemory, ExecutionsThatWaitHaveABound) {
  CoreOptions options;
  options.limits.waiting_bytes = 10'000;
  Driver d(options);
  Status full;
  int started = 0;
  for (; started < 100 && full.ok(); ++started) {
    const auto pending =
        d.send(api::Method::kStartWorkflowExecution, Driver::start_request("w" + std::to_string(started)));
    if (!*pending->result) full = pending->result->error();
  }
  EXPECT_EQ(full.code(), Code::kResourceExhausted);
  EXPECT_EQ(full.details().size(), 1U);
  EXPECT_THAT(full.message(), HasSubstr("Too many executions wait"));
  EXPECT_GT(started, 10);
  // Nor does a signal start one, but one that is there can be reached and replaced.
  ws::SignalWithStartWorkflowExecutionRequest signal;
  signal.set_namespace_("default");
  signal.set_workflow_id("new");
  signal.mutable_workflow_type()->set_name("order");
  signal.mutable_task_queue()->set_name("q");
  signal.set_signal_name("go");
  EXPECT_EQ(d.error(api::Method::kSignalWithStartWorkflowExecution, signal).code(), Code::kResourceExhausted);
  signal.set_workflow_id("w0");
  d.call<ws::SignalWithStartWorkflowExecutionResponse>(api::Method::kSignalWithStartWorkflowExecution,
                                                       signal);
  d.start("w1", [](auto& request) {
    request.set_request_id("again");
    request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
  });
  // A worker makes room.
  for (int i = 0; i < started / 2; ++i)
    d.complete(d.workflow_task().task_token(), {Driver::complete_workflow()});
  d.start("later");
}

TEST(CoreMemory, HeartbeatsOfOneRunHaveABoundTogether) {
  CoreOptions options;
  options.limits.execution.heartbeat_details_bytes = 10'000;
  Driver d(options);
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("a"), Driver::schedule_activity("b"),
                                              Driver::schedule_activity("c")});
  const auto beat = [&d](const std::string& token, std::size_t bytes) {
    ws::RecordActivityTaskHeartbeatRequest request;
    request.set_namespace_("default");
    request.set_task_token(token);
    request.mutable_details()->add_payloads()->set_data(std::string(bytes, 'x'));
    return d.call<ws::RecordActivityTaskHeartbeatResponse>(api::Method::kRecordActivityTaskHeartbeat, request)
        .cancel_requested();
  };
  const auto one = d.activity_task();
  const auto two = d.activity_task();
  for (int i = 0; i < 5; ++i)
    EXPECT_FALSE(beat(one.task_token(), 6'000)) << "each takes the place of the last";
  EXPECT_FALSE(beat(two.task_token(), 3'000));
  EXPECT_TRUE(beat(two.task_token(), 6'000)) << "its attempt is over";
  // It comes again, with what fitted; when the others are done, all of it fits.
  d.complete_activity(one.task_token(), "done");
  d.complete_activity(d.activity_task().task_token(), "done");
  d.advance(history::kMinute);
  const auto again = d.activity_task();
  EXPECT_EQ(again.activity_id(), "b");
  EXPECT_EQ(again.heartbeat_details().payloads(0).data().size(), 3'000U);
  EXPECT_FALSE(beat(again.task_token(), 6'000));
  d.crash();
  EXPECT_FALSE(beat(again.task_token(), 9'000));
}

TEST(CoreMemory, ANamespaceHasASize) {
  Driver d;
  ws::RegisterNamespaceRequest request;
  request.set_namespace_("large");
  request.mutable_workflow_execution_retention_period()->set_seconds(86'400);
  for (int i = 0; i < 5; ++i) (*request.mutable_data())["key" + std::to_string(i)] = std::string(4000, 'x');
  const Status refused = d.error(api::Method::kRegisterNamespace, request);
  EXPECT_EQ(refused.code(), Code::kInvalidArgument);
  EXPECT_EQ(refused.message(), "Namespace size exceeds limit of 16384 bytes.");
  request.mutable_data()->erase("key4");
  d.call<ws::RegisterNamespaceResponse>(api::Method::kRegisterNamespace, request);
  // Nor does it grow one.
  ws::UpdateNamespaceRequest more;
  more.set_namespace_("large");
  (*more.mutable_update_info()->mutable_data())["key5"] = std::string(1000, 'x');
  EXPECT_EQ(d.error(api::Method::kUpdateNamespace, more).message(), refused.message());
}

}  // namespace
}  // namespace holdfast::engine
