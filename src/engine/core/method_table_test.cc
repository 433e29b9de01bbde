// Goal: a handler is called when what it needs is there, and not otherwise; what is wrong is said in the same
// order for every method. Method: a table of three handlers over a host with one namespace and one run.

#include "engine/method_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace holdfast::engine {
namespace {

using M = api::Method;

struct Part {
  void plain(Call&, const ws::GetSystemInfoRequest&) { log.push_back("plain"); }
  void in_namespace(Call&, ws::StartWorkflowExecutionRequest& request,
                    const stored::NamespaceRecord& record) {
    log.push_back("start " + request.workflow_id() + " in " + record.name());
  }
  Status check(const ws::SignalWorkflowExecutionRequest& request) {
    return request.signal_name().empty() ? errors::invalid("no name") : Status();
  }
  void of_run(Call&, const ws::SignalWorkflowExecutionRequest&, const stored::NamespaceRecord&, Run& run) {
    log.push_back("signal " + run.key.run_id);
  }
  std::vector<std::string> log;
};

struct Host {
  const stored::NamespaceRecord* find_namespace(const std::string& name) const {
    return name == "default" ? &record : nullptr;
  }
  Result<Run*> resolve(const std::string&, const RunName& name) {
    asked.push_back(name.workflow_id + "/" + name.run_id + "/" + name.first_run_id);
    if (name.workflow_id != "w") return fail(errors::not_found("no run"));
    return &run;
  }
  void refuse(Call&, Status status) { refused.push_back(status.message()); }
  Part& part(std::type_identity<Part>) { return handlers; }

  stored::NamespaceRecord record = [] {
    stored::NamespaceRecord made;
    made.set_name("default");
    return made;
  }();
  Run run{{"n", "w", "r"}, nullptr};
  Part handlers;
  std::vector<std::string> asked;
  std::vector<std::string> refused;
};

constexpr MethodTable<Host> kTable = [] {
  MethodTable<Host> table;
  table.on<M::kGetSystemInfo, &Part::plain>();
  table.on<M::kStartWorkflowExecution, &Part::in_namespace>();
  table.on<M::kSignalWorkflowExecution, &Part::of_run, &Part::check>();
  return table;
}();

template <typename Request>
void call(Host& host, M method, Request request) {
  Call made;
  made.method = method;
  made.request = std::make_unique<Request>(std::move(request));
  kTable.call(host, made);
}

ws::SignalWorkflowExecutionRequest signal(const std::string& namespace_name, const std::string& workflow_id,
                                          const std::string& name) {
  ws::SignalWorkflowExecutionRequest request;
  request.set_namespace_(namespace_name);
  request.mutable_workflow_execution()->set_workflow_id(workflow_id);
  request.set_signal_name(name);
  return request;
}

TEST(MethodTableTest, KnowsWhatHasAHandler) {
  EXPECT_TRUE(kTable.has(M::kGetSystemInfo));
  EXPECT_FALSE(kTable.has(M::kQueryWorkflow));
}

TEST(MethodTableTest, AHandlerGetsWhatItAskedFor) {
  Host host;
  call(host, M::kGetSystemInfo, ws::GetSystemInfoRequest());
  ws::StartWorkflowExecutionRequest start;
  start.set_namespace_("default");
  start.set_workflow_id("w");
  call(host, M::kStartWorkflowExecution, start);
  call(host, M::kSignalWorkflowExecution, signal("default", "w", "go"));
  EXPECT_EQ(host.handlers.log, (std::vector<std::string>{"plain", "start w in default", "signal r"}));
  EXPECT_EQ(host.asked, (std::vector<std::string>{"w//"}));
  EXPECT_TRUE(host.refused.empty());
}

TEST(MethodTableTest, NamespaceThenRequestThenRun) {
  Host host;
  call(host, M::kSignalWorkflowExecution, signal("other", "none", ""));
  call(host, M::kSignalWorkflowExecution, signal("default", "none", ""));
  call(host, M::kSignalWorkflowExecution, signal("default", "none", "go"));
  EXPECT_EQ(host.refused,
            (std::vector<std::string>{errors::namespace_not_found("other").message(), "no name", "no run"}));
  EXPECT_TRUE(host.handlers.log.empty());
}

TEST(MethodTableTest, ARunIsCalledWhatTheRequestCallsIt) {
  ws::TerminateWorkflowExecutionRequest terminate;
  terminate.mutable_workflow_execution()->set_run_id("r");
  terminate.set_first_execution_run_id("first");
  EXPECT_EQ(run_named_by(terminate).run_id, "r");
  EXPECT_EQ(run_named_by(terminate).first_run_id, "first");
  ws::QueryWorkflowRequest query;
  query.mutable_execution()->set_workflow_id("w");
  EXPECT_EQ(run_named_by(query).workflow_id, "w");
  ws::PollWorkflowExecutionUpdateRequest poll;
  poll.mutable_update_ref()->mutable_workflow_execution()->set_workflow_id("w");
  EXPECT_EQ(run_named_by(poll).workflow_id, "w");
  ws::RespondActivityTaskFailedByIdRequest by_id;
  by_id.set_workflow_id("w");
  by_id.set_run_id("r");
  EXPECT_EQ(run_named_by(by_id).run_id, "r");
}

}  // namespace
}  // namespace holdfast::engine
