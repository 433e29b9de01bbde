// Goal: a task is answered only by who was given its token, and in the namespace it belongs to; the tokens of
// a build that did not sign them are good for the tasks they were given out with. Method: real tokens,
// changed.

#include <gtest/gtest.h>

#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using testing::Driver;

// Field 11 is the last of a token: its tag, its length, 16 bytes.
std::string without_mac(const std::string& token) {
  return token.substr(0, token.size() - 18);
}

Status refused(Driver& d, const std::string& token, const std::string& namespace_name = "default") {
  auto completion = Driver::completion(token, {Driver::complete_workflow()});
  completion.set_namespace_(namespace_name);
  return d.error(api::Method::kRespondWorkflowTaskCompleted, completion);
}

TEST(CoreTokens, AreNotMadeByOthers) {
  Driver d;
  d.start("w");
  const std::string token = d.workflow_task().task_token();
  EXPECT_EQ(refused(d, without_mac(token)).code(), Code::kInvalidArgument) << "not signed";
  std::string changed = token;
  changed.back() ^= 1;
  EXPECT_EQ(refused(d, changed).code(), Code::kInvalidArgument) << "signed by somebody else";
  history::stored::TaskToken forged;
  ASSERT_TRUE(forged.ParseFromString(token));
  forged.set_workflow_id("another");
  EXPECT_EQ(refused(d, history::serialize(forged)).code(), Code::kInvalidArgument) << "another's signature";
  EXPECT_EQ(refused(d, without_mac(token) + token.substr(token.size() - 18) + token.substr(token.size() - 18))
                .code(),
            Code::kInvalidArgument);
  d.complete(token, {Driver::complete_workflow()});
}

TEST(CoreTokens, AreBoundToTheirNamespace) {
  Driver d;
  ws::RegisterNamespaceRequest other;
  other.set_namespace_("other");
  other.mutable_workflow_execution_retention_period()->set_seconds(86'400);
  d.call<ws::RegisterNamespaceResponse>(api::Method::kRegisterNamespace, other);
  d.start("w");
  const std::string token = d.workflow_task().task_token();
  const Status mismatch = refused(d, token, "other");
  EXPECT_EQ(mismatch.code(), Code::kInvalidArgument);
  EXPECT_EQ(mismatch.message(), "Operation requested with a token from a different namespace.");
  EXPECT_EQ(refused(d, token, "nowhere").code(), Code::kNotFound);
  d.complete(token, {Driver::complete_workflow()});
}

TEST(CoreTokens, OfAnEarlierBuildAreGoodForTheirTasksOnly) {
  Driver d;
  d.start("w");
  d.start("later");
  const std::string old_token = without_mac(d.workflow_task().task_token());
  d.crash_before_tokens_were_signed();
  const std::string new_token = without_mac(d.workflow_task().task_token());
  EXPECT_EQ(refused(d, new_token).code(), Code::kInvalidArgument);
  d.complete(old_token, {Driver::complete_workflow()});
  EXPECT_EQ(d.events("w").back(), "WorkflowExecutionCompleted");
}

TEST(CoreTokens, OutliveTheProcess) {
  Driver d;
  d.start("w");
  const std::string token = d.workflow_task().task_token();
  d.crash();
  d.complete(token, {Driver::complete_workflow()});
}

}  // namespace
}  // namespace holdfast::engine
