// What calls need: who may what of which namespace, in the request and within it.

#include "rpc/permission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/messages.h"

namespace holdfast::rpc {
namespace {

using api::Method;
using identity::Permission;
using testing::ElementsAre;

// What is asked for, as "namespace permission".
std::vector<std::string> asked(Method method, const google::protobuf::Message& request) {
  std::vector<std::string> out;
  const Status status = check_call(method, request, [&](std::string_view where, Permission what) {
    out.push_back(std::string(where) + " " + std::string(identity::permission_name(what)));
    return Status();
  });
  EXPECT_TRUE(status.ok());
  return out;
}

TEST(Permission, OfEveryMethodIsOneOfARole) {
  for (std::size_t i = 0; i < api::kMethodCount; ++i) {
    const auto method = static_cast<Method>(i);
    EXPECT_NE(permission_of(method), Permission::kAnyone) << api::method_name(method);
    EXPECT_NE(permission_of(method), Permission::kDecide) << "decisions are signed by the API";
  }
}

TEST(Permission, IsAskedForTheNamespaceOfTheRequest) {
  ws::StartWorkflowExecutionRequest start;
  start.set_namespace_("ours");
  EXPECT_THAT(asked(Method::kStartWorkflowExecution, start), ElementsAre("ours run"));
  ws::PollActivityTaskQueueRequest poll;
  poll.set_namespace_("ours");
  EXPECT_THAT(asked(Method::kPollActivityTaskQueue, poll), ElementsAre("ours work"));
  ws::DescribeNamespaceRequest by_id;
  by_id.set_id("6ec5b1d2-0000-4000-8000-000000000000");
  EXPECT_THAT(asked(Method::kDescribeNamespace, by_id), ElementsAre("* read")) << "whose it is, is not said";
  EXPECT_THAT(asked(Method::kListNamespaces, ws::ListNamespacesRequest()), ElementsAre("* read"));
  EXPECT_THAT(asked(Method::kGetSystemInfo, ws::GetSystemInfoRequest()), ElementsAre("* known"));
  EXPECT_THAT(asked(Method::kStartWorkflowExecution, ws::StartWorkflowExecutionRequest()),
              ElementsAre("* run"));
  ws::RegisterNamespaceRequest fresh;
  fresh.set_namespace_("theirs");
  EXPECT_THAT(asked(Method::kRegisterNamespace, fresh), ElementsAre("* admin"));
}

TEST(Permission, IsAskedForWhatCommandsReach) {
  ws::RespondWorkflowTaskCompletedRequest done;
  done.set_namespace_("ours");
  // Deprecated in the protocol, which does not keep anybody from sending it.
  const auto reach = [](google::protobuf::Message* attributes, const char* where) {
    attributes->GetReflection()->SetString(attributes,
                                           attributes->GetDescriptor()->FindFieldByName("namespace"), where);
  };
  reach(done.add_commands()->mutable_start_child_workflow_execution_command_attributes(), "theirs");
  reach(done.add_commands()->mutable_start_child_workflow_execution_command_attributes(), "ours");
  done.add_commands()->mutable_start_child_workflow_execution_command_attributes();
  reach(done.add_commands()->mutable_signal_external_workflow_execution_command_attributes(), "b");
  reach(done.add_commands()->mutable_request_cancel_external_workflow_execution_command_attributes(), "c");
  EXPECT_THAT(asked(Method::kRespondWorkflowTaskCompleted, done),
              ElementsAre("ours work", "theirs run", "b run", "c run"));
}

TEST(Permission, IsAskedForEveryPartOfAMultiOperation) {
  ws::ExecuteMultiOperationRequest multi;
  multi.set_namespace_("ours");
  multi.add_operations()->mutable_start_workflow()->set_namespace_("ours");
  multi.add_operations()->mutable_update_workflow()->set_namespace_("theirs");
  EXPECT_THAT(asked(Method::kExecuteMultiOperation, multi), ElementsAre("ours run", "theirs run"));
}

TEST(Permission, TheFirstRefusalIsTheAnswer) {
  ws::SignalWorkflowExecutionRequest signal;
  signal.set_namespace_("theirs");
  const Status refused =
      check_call(Method::kSignalWorkflowExecution, signal, [](std::string_view where, Permission) {
        return where == "ours" ? Status() : Status(Code::kPermissionDenied, "no");
      });
  EXPECT_EQ(refused.code(), Code::kPermissionDenied);
}

}  // namespace
}  // namespace holdfast::rpc
