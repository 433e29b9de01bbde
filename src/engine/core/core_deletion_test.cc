// Goal: closed runs go when their time is over, and what was asked to go goes; nothing else does, and nothing
// of it stays behind, whenever the process dies. Method: the core over a real store, a sweep that the test
// drives, a look at every row of the store.

#include <set>

#include "engine/core_driver.h"
#include "engine/expired_runs.h"

namespace holdfast::engine::testing {
namespace {

using history::Ns;
namespace stored = history::stored;

constexpr Ns kHour = 60 * history::kMinute;

class DeletionTest : public ::testing::Test {
 protected:
  // A run of one workflow task that closes.
  std::string close_run(const std::string& id) {
    const std::string run_id = d.start(id).run_id();
    d.complete(d.workflow_task().task_token(), {Driver::complete_workflow()});
    return run_id;
  }
  // As the host does it. `slices`: at most, then the process dies.
  void sweep(int slices = 1000) {
    ExpiredRuns expired(d.store(), d.options.limits);
    while (slices-- > 0) {
      auto slice = expired.next(d.clock.ns);
      ASSERT_TRUE(slice.has_value());
      if (slice->empty()) return;
      d.core->sweep(std::move(*slice));
      d.commit();
    }
    d.crash();
  }
  ws::DeleteWorkflowExecutionRequest deletion(const std::string& id, const std::string& run_id = "") {
    ws::DeleteWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.mutable_workflow_execution()->set_run_id(run_id);
    return request;
  }
  void erase(const std::string& id, const std::string& run_id = "") {
    d.call<ws::DeleteWorkflowExecutionResponse>(api::Method::kDeleteWorkflowExecution, deletion(id, run_id));
  }
  ws::DescribeWorkflowExecutionRequest description(const std::string& id, const std::string& run_id = "") {
    ws::DescribeWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id);
    request.mutable_execution()->set_run_id(run_id);
    return request;
  }
  bool is_gone(const std::string& id, const std::string& run_id = "") {
    auto pending = d.send(api::Method::kDescribeWorkflowExecution, description(id, run_id));
    return pending->done() && !*pending->result && pending->result->error().code() == Code::kNotFound;
  }
  void set_retention(Ns ns) {
    ws::UpdateNamespaceRequest request;
    request.set_namespace_("default");
    history::set_duration(request.mutable_config()->mutable_workflow_execution_retention_ttl(), ns);
    d.call<ws::UpdateNamespaceResponse>(api::Method::kUpdateNamespace, request);
  }
  // Rows of executions: their states, histories, places, times.
  int rows() {
    int count = 0;
    const Status scanned = d.store().scan({}, {}, [&](std::string_view key, std::string_view) {
      count += key.size() > 2 && std::string_view("ecxw").find(key[2]) != std::string_view::npos ? 1 : 0;
      return true;
    });
    EXPECT_TRUE(scanned.ok());
    return count;
  }
  // The store as builds left it that kept no table of expiries and in which nobody chose a retention.
  void as_an_earlier_build_left_it() {
    store::WriteBatch batch;
    const Status scanned = d.store().scan({}, {}, [&](std::string_view key, std::string_view value) {
      if (key[2] == store::keys::kExpiryTable) batch.erase(std::string(key));
      if (key[2] == store::keys::kNamespaceTable) {
        stored::NamespaceRecord record;
        EXPECT_TRUE(record.ParseFromString(std::string(value)));
        record.clear_retention_chosen();
        record.clear_closed_runs_indexed();
        batch.put(std::string(key), history::serialize(record));
      }
      return true;
    });
    ASSERT_TRUE(scanned.ok());
    d.core.reset();
    ASSERT_TRUE(d.store().commit(batch).ok());
    d.crash();
  }

  Driver d;
};

TEST_F(DeletionTest, AClosedRunGoesWhenTheRetentionIsOver) {
  close_run("w");
  d.start("open");
  d.advance(71 * kHour);
  sweep();
  EXPECT_FALSE(is_gone("w"));
  d.advance(2 * kHour);
  sweep();
  EXPECT_TRUE(is_gone("w"));
  EXPECT_FALSE(is_gone("open"));
  EXPECT_EQ(d.error(api::Method::kDescribeWorkflowExecution, description("w")).message(),
            "workflow not found for ID: w");
}

TEST_F(DeletionTest, NothingOfItStays) {
  for (int i = 0; i < 5; ++i) close_run("w" + std::to_string(i));
  EXPECT_GT(rows(), 15);
  d.advance(73 * kHour);
  sweep();
  EXPECT_EQ(rows(), 0);
}

TEST_F(DeletionTest, ARetentionThatChangesCountsForWhatIsClosedAlready) {
  close_run("w");
  set_retention(200 * kHour);
  d.advance(100 * kHour);
  sweep();
  EXPECT_FALSE(is_gone("w"));
  set_retention(kHour);
  sweep();
  EXPECT_TRUE(is_gone("w"));
}

TEST_F(DeletionTest, ARetentionThatGrewBetweenLookAndDeletionCounts) {
  close_run("w");
  d.advance(73 * kHour);
  ExpiredRuns expired(d.store(), d.options.limits);
  auto slice = expired.next(d.clock.ns);
  ASSERT_TRUE(slice.has_value() && slice->expired.size() == 1);
  set_retention(200 * kHour);
  d.core->sweep(std::move(*slice));
  d.commit();
  EXPECT_FALSE(is_gone("w"));
}

TEST_F(DeletionTest, WhereNobodyChoseARetentionNothingGoes) {
  close_run("w");
  as_an_earlier_build_left_it();
  close_run("later");
  d.advance(5000 * kHour);
  sweep();
  EXPECT_FALSE(is_gone("w"));
  EXPECT_FALSE(is_gone("later"));
}

TEST_F(DeletionTest, RunsFromBeforeTheTableOfExpiriesAreFoundWhenARetentionIsChosen) {
  for (int i = 0; i < 5; ++i) close_run("w" + std::to_string(i));
  d.start("open");
  as_an_earlier_build_left_it();
  d.advance(2 * kHour);
  set_retention(kHour);
  sweep(1);  // dies with the first slice of the looking up
  sweep();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(is_gone("w" + std::to_string(i)));
  EXPECT_FALSE(is_gone("open"));
}

TEST_F(DeletionTest, ALongHistoryGoesInSlicesAndADeathInBetweenLosesNothingOfIt) {
  d.options.limits.sweep_rows = 3;
  close_run("w");
  for (int i = 0; i < 10; ++i) d.start("long"), d.signal("long", "s" + std::to_string(i));
  ws::TerminateWorkflowExecutionRequest end;
  end.set_namespace_("default");
  end.mutable_workflow_execution()->set_workflow_id("long");
  d.call<ws::TerminateWorkflowExecutionResponse>(api::Method::kTerminateWorkflowExecution, end);
  d.advance(73 * kHour);
  for (int round = 0; round < 12; ++round) sweep(1);
  sweep();
  EXPECT_TRUE(is_gone("long"));
  EXPECT_TRUE(is_gone("w"));
  EXPECT_EQ(rows(), 0);
}

TEST_F(DeletionTest, TheSecondRunOfAChainStaysCurrent) {
  const std::string first = d.start("w").run_id();
  d.complete(d.workflow_task().task_token(), {continue_as_new()});
  d.advance(73 * kHour);
  sweep();
  EXPECT_TRUE(is_gone("w", first));
  EXPECT_FALSE(is_gone("w"));
  d.complete(d.workflow_task().task_token(), {Driver::complete_workflow()});
  d.advance(73 * kHour);
  sweep();
  EXPECT_TRUE(is_gone("w"));
  EXPECT_EQ(rows(), 0);
}

TEST_F(DeletionTest, AWorkflowIdWhoseRunIsGoneStartsAnew) {
  close_run("w");
  erase("w");
  const auto again = d.start("w", [](auto& request) {
    request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);
    request.set_request_id("another");
  });
  EXPECT_TRUE(again.started());
}

TEST_F(DeletionTest, AClosedRunThatIsAskedToGoIsGoneAtOnce) {
  close_run("w");
  erase("w");
  EXPECT_TRUE(is_gone("w"));
  sweep();
  EXPECT_EQ(rows(), 0);
}

TEST_F(DeletionTest, AnOpenRunIsTerminatedThenDeleted) {
  const std::string run_id = d.start("w").run_id();
  ws::GetWorkflowExecutionHistoryRequest wait;
  wait.set_namespace_("default");
  wait.mutable_execution()->set_workflow_id("w");
  wait.set_wait_new_event(true);
  wait.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  auto waiter = d.send(api::Method::kGetWorkflowExecutionHistory, wait);
  erase("w");
  const auto seen = Driver::take<ws::GetWorkflowExecutionHistoryResponse>(waiter);
  ASSERT_EQ(seen.history().events_size(), 1);
  const auto& end = seen.history().events(0).workflow_execution_terminated_event_attributes();
  EXPECT_EQ(end.reason(), "Delete workflow execution");
  EXPECT_EQ(end.identity(), "history-service");
  sweep();
  EXPECT_TRUE(is_gone("w"));
  EXPECT_TRUE(is_gone("w", run_id));
  EXPECT_EQ(rows(), 0);
}

TEST_F(DeletionTest, WhatIsUnknownIsNotFound) {
  EXPECT_EQ(d.error(api::Method::kDeleteWorkflowExecution, deletion("w")).code(), Code::kNotFound);
  close_run("w");
  erase("w");
  EXPECT_EQ(d.error(api::Method::kDeleteWorkflowExecution, deletion("w")).message(),
            "workflow not found for ID: w");
}

TEST_F(DeletionTest, TheIndexHearsOfIt) {
  Driver fed([] {
    CoreOptions options;
    options.feed = true;
    return options;
  }());
  const std::string run_id = fed.start("w").run_id();
  fed.complete(fed.workflow_task().task_token(), {Driver::complete_workflow()});
  fed.auto_commit = false;
  fed.send(api::Method::kDeleteWorkflowExecution, deletion("w"));
  const Output output = fed.core->take_output();
  ASSERT_EQ(output.feed.size(), 1u);
  EXPECT_EQ(output.feed[0].info, "");
  EXPECT_EQ(output.feed[0].run_id, run_id);
  ASSERT_EQ(output.deleted.size(), 1u);
  EXPECT_EQ(output.deleted[0].namespace_name, "default");
  EXPECT_EQ(output.deleted[0].key.workflow_id, "w");
  EXPECT_TRUE(output.deletion_asked);
  EXPECT_TRUE(fed.store().commit(output.batch).ok());
  fed.core->committed(output.sequence);
}

TEST_F(DeletionTest, ARunThatSomebodyWaitsForStaysForALaterRound) {
  close_run("w");
  auto query = d.send(api::Method::kQueryWorkflow, ask("w"));
  ASSERT_FALSE(query->done());
  d.clock.ns += 73 * kHour;
  sweep();
  EXPECT_FALSE(is_gone("w"));
  d.core->cancel(query->id);
  d.commit();
  sweep();
  EXPECT_TRUE(is_gone("w"));
}

TEST_F(DeletionTest, ARetentionIsAtLeastAnHour) {
  ws::RegisterNamespaceRequest request;
  request.set_namespace_("n");
  EXPECT_EQ(d.error(api::Method::kRegisterNamespace, request).message(),
            "A valid retention period is not set on request.");
  request.mutable_workflow_execution_retention_period()->set_seconds(59 * 60);
  EXPECT_EQ(d.error(api::Method::kRegisterNamespace, request).code(), Code::kInvalidArgument);
  request.mutable_workflow_execution_retention_period()->set_seconds(3600);
  d.call<ws::RegisterNamespaceResponse>(api::Method::kRegisterNamespace, request);
  ws::UpdateNamespaceRequest update;
  update.set_namespace_("n");
  update.mutable_update_info()->set_description("ours");
  auto updated = d.call<ws::UpdateNamespaceResponse>(api::Method::kUpdateNamespace, update);
  EXPECT_EQ(updated.config().workflow_execution_retention_ttl().seconds(), 3600);
  EXPECT_EQ(updated.namespace_info().description(), "ours");
  update.mutable_config()->mutable_workflow_execution_retention_ttl();
  EXPECT_EQ(d.error(api::Method::kUpdateNamespace, update).message(),
            "A valid retention period is not set on request.");
}

}  // namespace
}  // namespace holdfast::engine::testing
