// The host with its real threads, clock and disk: calls from several threads, long polls that end, cancelled
// polls, a restart, and lists that see what was just started.

#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

#include "api/messages.h"
#include "api/operator_messages.h"
#include "engine/engine_fixture.h"
#include "history/stored.h"
#include "sim/memory_store.h"
#include "sqlite/database.h"
#include "store/keys.h"
#include "store/rocks_store.h"

namespace holdfast::engine {
namespace {

// Over gRPC such a request cannot be read; a caller in this process must not get further.
TEST_F(EngineTest, TextThatIsNoUtf8IsRefusedInProcess) {
  ws::StartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("w");
  request.mutable_workflow_type()->set_name("order");
  request.mutable_task_queue()->set_name("q");
  const auto refused = [&](const ws::StartWorkflowExecutionRequest& one) {
    Answer answer;
    engine_->start(api::Method::kStartWorkflowExecution,
                   std::make_unique<ws::StartWorkflowExecutionRequest>(one), {}, answer.completion());
    auto result = answer.wait();
    return result ? Status() : result.error();
  };
  auto id = request;
  id.set_workflow_id("Zeit\xFC");
  EXPECT_EQ(refused(id).code(), Code::kInvalidArgument);
  EXPECT_THAT(refused(id).message(), ::testing::HasSubstr("StartWorkflowExecutionRequest.workflow_id"));
  auto header = request;
  (*header.mutable_header()->mutable_fields())["k\xFC"].set_data("x");
  EXPECT_EQ(refused(header).code(), Code::kInvalidArgument);
  auto metadata = request;
  (*metadata.mutable_input()->add_payloads()->mutable_metadata())["e\xFC"] = "x";
  EXPECT_EQ(refused(metadata).code(), Code::kInvalidArgument);
  request.mutable_input()->add_payloads()->set_data("\xFC may stand in bytes");
  EXPECT_TRUE(refused(request).ok());
}

TEST_F(EngineTest, ListsSeeWhatWasJustStarted) {
  for (int i = 0; i < 5; ++i) {
    start("w" + std::to_string(i));
    EXPECT_EQ(listed("WorkflowType = 'order'"), i + 1);
  }
  close();
  open();
  EXPECT_EQ(listed("ExecutionStatus = 'Running'"), 5);
  // A lost index is rebuilt from the executions.
  close();
  lose_index();
  open();
  EXPECT_EQ(listed("ExecutionStatus = 'Running'"), 5);
}

// A store from before names had to be registered: those in use get their owner, with the type most runs gave.
TEST_F(EngineTest, NamesInUseAreRegisteredWhenAnOldStoreIsOpened) {
  const auto add = [this](enums::IndexedValueType type) {
    ops::AddSearchAttributesRequest request;
    request.set_namespace_("default");
    (*request.mutable_search_attributes())["Customer"] = type;
    call<ops::AddSearchAttributesResponse>(api::Method::kAddSearchAttributes, request);
  };
  const auto remove = [this] {
    ops::RemoveSearchAttributesRequest request;
    request.set_namespace_("default");
    request.add_search_attributes("Customer");
    call<ops::RemoveSearchAttributesResponse>(api::Method::kRemoveSearchAttributes, request);
  };
  const auto give = [this](const std::string& id, const std::string& json) {
    ws::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id(id);
    request.mutable_workflow_type()->set_name("order");
    request.mutable_task_queue()->set_name("q");
    auto& payload = (*request.mutable_search_attributes()->mutable_indexed_fields())["Customer"];
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    payload.set_data(json);
    call<ws::StartWorkflowExecutionResponse>(api::Method::kStartWorkflowExecution, request);
  };
  add(enums::INDEXED_VALUE_TYPE_INT);
  give("number", "5");
  remove();
  add(enums::INDEXED_VALUE_TYPE_KEYWORD);
  give("acme", "\"acme\"");
  give("zeta", "\"zeta\"");
  remove();
  close();
  open_store();
  history::stored::NamespaceRecord record;
  const std::string key = store::keys::namespace_record("default");
  ASSERT_TRUE(record.ParseFromString(**store_->get(key)));
  ASSERT_TRUE(record.search_attributes().empty());
  record.clear_search_attributes_registered();
  store::WriteBatch batch;
  batch.put(key, record.SerializeAsString());
  ASSERT_TRUE(store_->commit(batch).ok());
  store_.reset();
  open();
  EXPECT_EQ(listed("Customer = 'acme'"), 1);
  EXPECT_EQ(listed("Customer IS NOT NULL"), 3);
  // Once: what is removed then stays removed.
  remove();
  close();
  open();
  ops::ListSearchAttributesRequest list;
  list.set_namespace_("default");
  EXPECT_TRUE(call<ops::ListSearchAttributesResponse>(api::Method::kListSearchAttributes, list)
                  .custom_attributes()
                  .empty());
}

// Rows of the feed that an earlier build left behind, with the rows that came after them gone.
TEST_F(EngineTest, OldRowsOfTheFeedDoNotBringBackWhatIsPast) {
  for (int i = 0; i < 5; ++i) start("w" + std::to_string(i));
  close();
  const auto old = feed();
  open();
  for (int i = 0; i < 5; ++i) terminate("w" + std::to_string(i));
  close();
  open_store();
  store::WriteBatch batch;
  for (const auto& [key, value] : feed()) batch.erase(key);
  for (const auto& [key, value] : old) batch.put(key, value);
  ASSERT_TRUE(store_->commit(batch).ok());
  close();
  lose_index();
  open();
  EXPECT_EQ(listed("ExecutionStatus = 'Running'"), 0);
  EXPECT_EQ(listed("ExecutionStatus = 'Terminated'"), 5);
}

// What the index has is erased when the store is opened, but for the newest row.
TEST_F(EngineTest, TheFeedKeepsItsNewestRowOnly) {
  for (int i = 0; i < 5; ++i) start("w" + std::to_string(i));
  close();
  open();
  close();
  EXPECT_EQ(feed().size(), 1u);
}

// Whatever happens to the file of the index, lists say what the executions say.
TEST_F(EngineTest, AnIndexThatWasLostOrPutBackTellsTheTruth) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](std::uint64_t below) { return random() % below; };
    std::map<std::string, bool> running;
    std::vector<std::string> copies;
    const std::string prefix = "s" + std::to_string(seed) + "-";
    for (int step = 0; step < 12; ++step) {
      for (std::uint64_t i = pick(4); i > 0; --i) {
        const std::string id = prefix + std::to_string(running.size());
        start(id);
        running[id] = true;
      }
      for (auto& [id, open] : running) {
        if (!open || pick(3) != 0) continue;
        terminate(id);
        open = false;
      }
      close();
      const std::string file = (dir_ / "visibility.db").string();
      if (pick(2) == 0) {
        copies.push_back(file + "." + std::to_string(seed) + "-" + std::to_string(step));
        std::filesystem::copy_file(file, copies.back());
      }
      if (const auto fate = pick(4); fate == 0) {
        lose_index();
      } else if (fate == 1 && !copies.empty()) {
        lose_index();
        std::filesystem::copy_file(copies[pick(copies.size())], file);
      }
      open();
      const std::string mine = "WorkflowId STARTS_WITH '" + prefix + "' AND ExecutionStatus = ";
      const auto open_runs = std::ranges::count_if(running, [](const auto& run) { return run.second; });
      ASSERT_EQ(listed(mine + "'Running'"), open_runs) << "seed " << seed << " step " << step;
      ASSERT_EQ(listed(mine + "'Terminated'"), std::ssize(running) - open_runs)
          << "seed " << seed << " step " << step;
    }
  }
}

// An index that cannot be written (its table is away here, a disk full elsewhere) fails lists, and misses
// nothing later.
TEST_F(EngineTest, WhatTheIndexCouldNotTakeIsListedLater) {
  start("before");
  EXPECT_EQ(listed(""), 1);
  sqlite::Database db;
  ASSERT_TRUE(db.open(dir_ / "visibility.db").ok());
  ASSERT_TRUE(db.execute("ALTER TABLE execution RENAME TO away").ok());
  for (int i = 0; i < 3; ++i) {
    start("meanwhile-" + std::to_string(i));
    Answer answer;
    auto request = std::make_unique<ws::ListWorkflowExecutionsRequest>();
    request->set_namespace_("default");
    engine_->start(api::Method::kListWorkflowExecutions, std::move(request), {}, answer.completion());
    EXPECT_FALSE(answer.wait());
  }
  ASSERT_TRUE(db.execute("ALTER TABLE away RENAME TO execution").ok());
  start("after");
  EXPECT_EQ(listed(""), 5);
}

// Somebody else holds the lock of the index's file, for longer than the feed has patience.
TEST_F(EngineTest, AListDoesNotWaitForEverForTheFeed) {
  start("before");
  EXPECT_EQ(listed(""), 1);
  close();
  options_.core.limits.visibility_wait_ns = 20'000'000;
  open();
  sqlite::Database db;
  ASSERT_TRUE(db.open(dir_ / "visibility.db").ok());
  ASSERT_TRUE(db.execute("BEGIN IMMEDIATE").ok());
  EXPECT_EQ(listed(""), 1);
  start("meanwhile");
  Answer answer;
  auto request = std::make_unique<ws::CountWorkflowExecutionsRequest>();
  request->set_namespace_("default");
  engine_->start(api::Method::kCountWorkflowExecutions, std::move(request), {}, answer.completion());
  const auto refused = answer.wait();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("1 changes behind"));
  ASSERT_TRUE(db.execute("ROLLBACK").ok());
  close();
  options_ = {};
  open();
  EXPECT_EQ(listed(""), 2);
}

TEST_F(EngineTest, AListHasABoundedTimeToLook) {
  start("w");
  close();
  options_.core.limits.visibility_scan_ns = 0;
  open();
  // Small ones are done before anybody looks at the time.
  EXPECT_EQ(listed(""), 1);
  for (int i = 0; i < 400; ++i) start("w" + std::to_string(i));
  std::string query = "WorkflowType != 'order'";
  for (int i = 0; i < 90; ++i) query += " OR NOT HistoryLength > 0";
  Answer answer;
  auto request = std::make_unique<ws::ListWorkflowExecutionsRequest>();
  request->set_namespace_("default");
  request->set_query(query);
  engine_->start(api::Method::kListWorkflowExecutions, std::move(request), {}, answer.completion());
  const auto refused = answer.wait();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kDeadlineExceeded);
}

// Scan, ListOpen and ListClosed, which Go and Java programs still call.
TEST_F(EngineTest, OlderCallsList) {
  using api::Method;
  start("one's");
  start("two");
  terminate("two");

  ws::ScanWorkflowExecutionsRequest scan;
  scan.set_namespace_("default");
  scan.set_query("WorkflowId = 'two'");
  const auto scanned = call<ws::ScanWorkflowExecutionsResponse>(Method::kScanWorkflowExecutions, scan);
  ASSERT_EQ(scanned.executions_size(), 1);
  EXPECT_EQ(scanned.executions(0).execution().workflow_id(), "two");

  ws::ListOpenWorkflowExecutionsRequest open;
  open.set_namespace_("default");
  const auto opened = [&] {
    return call<ws::ListOpenWorkflowExecutionsResponse>(Method::kListOpenWorkflowExecutions, open)
        .executions_size();
  };
  EXPECT_EQ(opened(), 1);
  open.mutable_execution_filter()->set_workflow_id("one's");
  EXPECT_EQ(opened(), 1);
  open.mutable_execution_filter()->set_workflow_id("two");
  EXPECT_EQ(opened(), 0);
  open.mutable_type_filter()->set_name("order");
  open.mutable_start_time_filter()->mutable_earliest_time()->set_seconds(1);
  EXPECT_EQ(opened(), 1);
  open.mutable_start_time_filter()->mutable_latest_time()->set_seconds(2);
  EXPECT_EQ(opened(), 0);

  ws::ListClosedWorkflowExecutionsRequest closed;
  closed.set_namespace_("default");
  const auto ended = [&] {
    return call<ws::ListClosedWorkflowExecutionsResponse>(Method::kListClosedWorkflowExecutions, closed)
        .executions_size();
  };
  EXPECT_EQ(ended(), 1);
  closed.mutable_status_filter()->set_status(enums::WORKFLOW_EXECUTION_STATUS_FAILED);
  EXPECT_EQ(ended(), 0);
  closed.mutable_status_filter()->set_status(enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  closed.set_maximum_page_size(10);
  EXPECT_EQ(ended(), 1);
}

TEST_F(EngineTest, CancelledPollSwallowsNoTask) {
  Answer cancelled;
  auto handle =
      engine_->start(api::Method::kPollWorkflowTaskQueue,
                     std::make_unique<ws::PollWorkflowTaskQueueRequest>(poll()), {}, cancelled.completion());
  handle->cancel();
  EXPECT_EQ(cancelled.wait().error().code(), Code::kCancelled);
  start("w");
  const auto response = call<ws::PollWorkflowTaskQueueResponse>(api::Method::kPollWorkflowTaskQueue, poll());
  EXPECT_EQ(response.workflow_execution().workflow_id(), "w");
}

TEST_F(EngineTest, ManyThreadsStartAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 50; ++i) start("w" + std::to_string(t) + "-" + std::to_string(i));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(listed(""), 200);
}

TEST_F(EngineTest, ParkedPollsAreAnsweredAtTheEnd) {
  Answer answer;
  engine_->start(api::Method::kPollWorkflowTaskQueue,
                 std::make_unique<ws::PollWorkflowTaskQueueRequest>(poll()), {}, answer.completion());
  engine_.reset();
  EXPECT_EQ(answer.wait().error().code(), Code::kUnavailable);
}

TEST_F(EngineTest, RefusesANewerStore) {
  close();
  {
    store::RocksOptions rocks;
    rocks.dir = (dir_ / "db").string();
    auto raw = std::move(*store::RocksStore::open(rocks));
    store::WriteBatch batch;
    batch.put(std::string("\xFF\xFFm", 3),
              std::string("\x08\x63\x10\x40\x18\x01", 6));  // format 99, 64 shards
    ASSERT_TRUE(raw->commit(batch).ok());
    auto opened = Engine::open({}, *raw, clock_, random_, nullptr);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), Code::kFailedPrecondition);
  }
}

class ThrowingStore final : public store::KvStore {
 public:
  bool throws = false;
  Status commit(const store::WriteBatch& batch) override { return rows_.commit(batch); }
  Result<std::optional<std::string>> get(std::string_view key) const override {
    if (throws) throw std::length_error("a row of impossible length");
    return rows_.get(key);
  }
  Status scan(std::string_view begin, std::string_view end, const Visitor& visit) const override {
    return rows_.scan(begin, end, visit);
  }
  Status scan_reverse(std::string_view begin, std::string_view end, const Visitor& visit) const override {
    return rows_.scan_reverse(begin, end, visit);
  }

 private:
  sim::MemoryStore rows_;
};

void describe_what_cannot_be_read() {
  ThrowingStore store;
  os::SystemClock clock;
  os::SystemRandom random;
  auto engine = std::move(*Engine::open({}, store, clock, random, nullptr));
  store.throws = true;
  auto request = std::make_unique<ws::DescribeWorkflowExecutionRequest>();
  request->set_namespace_("default");
  request->mutable_execution()->set_workflow_id("w");
  Answer answer;
  engine->start(api::Method::kDescribeWorkflowExecution, std::move(request), {}, answer.completion());
  (void)answer.wait();
}

TEST(EngineFault, AnExceptionOnItsThreadEndsTheProcessWithAWord) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(describe_what_cannot_be_read(), ::testing::ExitedWithCode(70),
              "fault of the program in its engine thread.*impossible length");
}

}  // namespace
}  // namespace holdfast::engine
