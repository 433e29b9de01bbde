// Goal: a link of a request stands at the event that the request makes, and one that leads nowhere is refused
// in Temporal's words. Method: one core, each request with a link, and the history that comes of it.

#include "engine/links.h"

#include <gmock/gmock.h>

#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using testing::Driver;
using ::testing::HasSubstr;

void add_link(history::Links* links, const std::string& workflow_id) {
  auto& to = *links->Add()->mutable_workflow_event();
  to.set_namespace_("default");
  to.set_workflow_id(workflow_id);
  to.set_run_id("run");
}

// Whom the links of the last event of this type lead to.
std::vector<std::string> linked(Driver& d, const std::string& id, enums::EventType type) {
  std::vector<std::string> to;
  for (const auto& event : d.history(id).events()) {
    if (event.event_type() != type) continue;
    to.clear();
    for (const auto& link : event.links()) to.push_back(link.workflow_event().workflow_id());
  }
  return to;
}

template <typename Request>
Request about(const std::string& id, const std::string& linked_id) {
  Request request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id(id);
  add_link(request.mutable_links(), linked_id);
  return request;
}

using Names = std::vector<std::string>;

TEST(Links, StandAtTheEventsOfTheirRequests) {
  Driver d;
  d.start("w", [](auto& request) { add_link(request.mutable_links(), "starter"); });
  EXPECT_EQ(linked(d, "w", enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED), Names{"starter"});
  auto signal = about<ws::SignalWorkflowExecutionRequest>("w", "signaler");
  signal.set_signal_name("s");
  d.call<ws::SignalWorkflowExecutionResponse>(api::Method::kSignalWorkflowExecution, signal);
  EXPECT_EQ(linked(d, "w", enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), Names{"signaler"});
  d.call<ws::RequestCancelWorkflowExecutionResponse>(
      api::Method::kRequestCancelWorkflowExecution,
      about<ws::RequestCancelWorkflowExecutionRequest>("w", "canceler"));
  EXPECT_EQ(linked(d, "w", enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED), Names{"canceler"});
  d.call<ws::TerminateWorkflowExecutionResponse>(api::Method::kTerminateWorkflowExecution,
                                                 about<ws::TerminateWorkflowExecutionRequest>("w", "ender"));
  EXPECT_EQ(linked(d, "w", enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED), Names{"ender"});
}

// The signal may find its run there or make it, and may have to wait for its place in the history.
TEST(Links, OfASignalWithStartStandAtBothEvents) {
  Driver d;
  ws::SignalWithStartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("w");
  request.mutable_workflow_type()->set_name("order");
  request.mutable_task_queue()->set_name("q");
  request.set_signal_name("s");
  add_link(request.mutable_links(), "first");
  const auto send = [&d, &request] {
    d.call<ws::SignalWithStartWorkflowExecutionResponse>(api::Method::kSignalWithStartWorkflowExecution,
                                                         request);
  };
  send();
  EXPECT_EQ(linked(d, "w", enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED), Names{"first"});
  EXPECT_EQ(linked(d, "w", enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), Names{"first"});
  const auto task = d.workflow_task();
  request.clear_links();
  add_link(request.mutable_links(), "second");
  send();
  d.complete(task.task_token(), {});
  EXPECT_EQ(linked(d, "w", enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), Names{"second"});
}

TEST(Links, AreRefusedWhenTheyLeadNowhere) {
  Driver d;
  d.start("w");
  auto signal = about<ws::SignalWorkflowExecutionRequest>("w", "");
  signal.set_signal_name("s");
  const auto said = [&d](const auto& method, const auto& request) {
    const Status status = d.error(method, request);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    return status.message();
  };
  constexpr const char* kNoWorkflow = "workflow event link must not have an empty workflow ID field";
  EXPECT_EQ(said(api::Method::kSignalWorkflowExecution, signal), kNoWorkflow);
  EXPECT_EQ(said(api::Method::kRequestCancelWorkflowExecution,
                 about<ws::RequestCancelWorkflowExecutionRequest>("w", "")),
            kNoWorkflow);
  EXPECT_EQ(
      said(api::Method::kTerminateWorkflowExecution, about<ws::TerminateWorkflowExecutionRequest>("w", "")),
      kNoWorkflow);
  EXPECT_EQ(
      said(api::Method::kStartWorkflowExecution,
           Driver::start_request("other", [](auto& request) { add_link(request.mutable_links(), ""); })),
      kNoWorkflow);
  auto change = testing::change("u");
  add_link(change.mutable_request()->mutable_links(), "");
  EXPECT_EQ(said(api::Method::kUpdateWorkflowExecution, change), kNoWorkflow);
}

TEST(Links, HaveTemporalsLimits) {
  history::Links links;
  EXPECT_TRUE(check_links(links).ok());
  for (int i = 0; i < 10; ++i) add_link(&links, "w");
  EXPECT_TRUE(check_links(links).ok());
  add_link(&links, "w");
  EXPECT_EQ(check_links(links).message(), "cannot attach more than 10 links per request, got 11");
  links.Clear();
  add_link(&links, std::string(5000, 'x'));
  EXPECT_THAT(check_links(links).message(), HasSubstr("link exceeds allowed size of 4000, got 50"));
  links.Clear();
  add_link(&links, "w");
  links[0].mutable_workflow_event()->mutable_event_ref()->set_event_id(5);
  EXPECT_THAT(check_links(links).message(), HasSubstr("unspecified event type and a non-zero event ID"));
  links[0].mutable_batch_job();
  EXPECT_EQ(check_links(links).message(), "batch job link must not have an empty job ID");
  links[0].mutable_activity()->set_namespace_("default");
  EXPECT_EQ(check_links(links).message(), "activity link must not have an empty activity ID field");
  links[0].Clear();
  EXPECT_EQ(check_links(links).message(), "unsupported link variant");
}

}  // namespace
}  // namespace holdfast::engine
