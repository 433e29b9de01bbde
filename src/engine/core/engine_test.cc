// The host with its real threads, clock and disk: calls from several threads, long polls that end, cancelled
// polls, a restart, and lists that see what was just started.

#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

#include "api/messages.h"
#include "api/operator_messages.h"
#include "fixture/temporary_directory.h"
#include "history/stored.h"
#include "os/clock.h"
#include "sim/memory_store.h"
#include "sqlite/database.h"
#include "store/keys.h"
#include "store/rocks_store.h"
#include "visibility/index.h"

namespace holdfast::engine {
namespace {

class Answer {
 public:
  api::Completion completion() {
    return [this](Result<api::MessagePtr> result) {
      std::lock_guard lock(mutex_);
      result_ = std::move(result);
      wake_.notify_all();
    };
  }
  Result<api::MessagePtr> wait() {
    std::unique_lock lock(mutex_);
    if (!wake_.wait_for(lock, std::chrono::seconds(20), [this] { return result_.has_value(); })) {
      return fail(Code::kDeadlineExceeded, "no answer in 20 s");
    }
    return std::move(*result_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Result<api::MessagePtr>> result_;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { open(); }
  ~EngineTest() override { close(); }
  void open_store() {
    store::RocksOptions rocks;
    rocks.dir = (dir_ / "db").string();
    store_ = std::move(*store::RocksStore::open(rocks));
  }
  void open() {
    open_store();
    visibility::Index::Options index;
    index.path = (dir_ / "visibility.db").string();
    index_ = std::move(*visibility::Index::open(index));
    auto opened = Engine::open(options_, *store_, clock_, random_, index_.get());
    ASSERT_TRUE(opened) << opened.error().to_string();
    engine_ = std::move(*opened);
  }
  void close() {
    engine_.reset();
    index_.reset();
    store_.reset();
  }
  template <typename Response, typename Request>
  Response call(api::Method method, Request request, api::CallOptions options = {}) {
    Answer answer;
    engine_->start(method, std::make_unique<Request>(std::move(request)), options, answer.completion());
    auto result = answer.wait();
    if (!result) {
      ADD_FAILURE() << api::method_name(method) << ": " << result.error().to_string();
      return Response();
    }
    return std::move(static_cast<Response&>(**result));
  }
  void start(const std::string& id) {
    ws::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id(id);
    request.mutable_workflow_type()->set_name("order");
    request.mutable_task_queue()->set_name("q");
    call<ws::StartWorkflowExecutionResponse>(api::Method::kStartWorkflowExecution, request);
  }
  void terminate(const std::string& id) {
    ws::TerminateWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    call<ws::TerminateWorkflowExecutionResponse>(api::Method::kTerminateWorkflowExecution, request);
  }
  void lose_index() {
    for (const char* suffix : {"", "-wal", "-shm"})
      std::filesystem::remove(dir_ / ("visibility.db" + std::string(suffix)));
  }
  // The rows of the visibility feed in the store, of a closed engine too.
  std::map<std::string, std::string> feed() {
    const bool closed = store_ == nullptr;
    if (closed) open_store();
    std::map<std::string, std::string> rows;
    const Status status =
        store_->scan(store::keys::table_begin(store::keys::kStoreWide, store::keys::kFeedTable),
                     store::keys::table_end(store::keys::kStoreWide, store::keys::kFeedTable),
                     [&rows](std::string_view key, std::string_view value) {
                       rows.emplace(key, value);
                       return true;
                     });
    EXPECT_TRUE(status.ok()) << status.to_string();
    if (closed) store_.reset();
    return rows;
  }
  static ws::PollWorkflowTaskQueueRequest poll() {
    ws::PollWorkflowTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name("q");
    return request;
  }
  std::int64_t listed(const std::string& query) {
    ws::ListWorkflowExecutionsRequest request;
    request.set_namespace_("default");
    request.set_query(query);
    return call<ws::ListWorkflowExecutionsResponse>(api::Method::kListWorkflowExecutions, request)
        .executions_size();
  }

  fixture::TemporaryDirectory dir_;
  EngineOptions options_;
  os::SystemClock clock_;
  os::SystemRandom random_;
  std::unique_ptr<store::RocksStore> store_;
  std::unique_ptr<visibility::Index> index_;
  std::unique_ptr<Engine> engine_;
};

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
  ws::TerminateWorkflowExecutionRequest end;
  end.set_namespace_("default");
  end.mutable_workflow_execution()->set_workflow_id("two");
  call<ws::TerminateWorkflowExecutionResponse>(Method::kTerminateWorkflowExecution, end);

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

// One worker in this process, whose activity `look` is pure; a batch that nobody waits for may wait longer
// than any test.
class UnawaitedBatchTest : public EngineTest {
 protected:
  UnawaitedBatchTest() {
    close();
    options_.core.limits.pure_activities = {"look"};
    options_.unawaited_wait_us = 3'600'000'000;
    options_.on_commit = [this](std::chrono::nanoseconds, std::size_t) { ++commits_; };
    open();
    start("w");
    workflow_task_ =
        token_of<ws::PollWorkflowTaskQueueResponse>(*send(api::Method::kPollWorkflowTaskQueue, poll()));
    begun_ = commits_;
  }
  template <typename Request>
  std::unique_ptr<Answer> send(api::Method method, Request request) {
    api::CallOptions options;
    options.in_process_workflow_worker = true;
    auto answer = std::make_unique<Answer>();
    request.set_namespace_("default");
    engine_->start(method, std::make_unique<Request>(std::move(request)), options, answer->completion());
    return answer;
  }
  template <typename Response>
  static std::string token_of(Answer& answer) {
    auto result = answer.wait();
    if (!result) return result.error().to_string();
    return static_cast<const Response&>(**result).task_token();
  }
  std::unique_ptr<Answer> complete(std::vector<pb::command::v1::Command> commands) {
    ws::RespondWorkflowTaskCompletedRequest request;
    request.set_task_token(workflow_task_);
    for (auto& command : commands) request.add_commands()->Swap(&command);
    return send(api::Method::kRespondWorkflowTaskCompleted, std::move(request));
  }
  // The run asks for it, beside `others`; this worker takes it.
  std::unique_ptr<Answer> take_look(std::vector<pb::command::v1::Command> others = {}) {
    pb::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
    attributes.set_activity_id("1");
    attributes.mutable_activity_type()->set_name("look");
    attributes.mutable_task_queue()->set_name("q");
    attributes.mutable_start_to_close_timeout()->set_seconds(60);
    others.push_back(std::move(command));
    ws::PollActivityTaskQueueRequest request;
    request.mutable_task_queue()->set_name("q");
    auto polled = send(api::Method::kPollActivityTaskQueue, request);
    auto answer = complete(std::move(others));
    activity_task_ = token_of<ws::PollActivityTaskQueueResponse>(*polled);
    return answer;
  }

  std::atomic<int> commits_ = 0;
  int begun_ = 0;
  std::string workflow_task_;
  std::string activity_task_;
};

TEST_F(UnawaitedBatchTest, GoesWithWhatFollowsFromIt) {
  auto first = take_look();
  EXPECT_EQ(commits_, begun_) << "the call is under way and not yet on the disk";
  auto polled = send(api::Method::kPollWorkflowTaskQueue, poll());
  ws::RespondActivityTaskCompletedRequest done;
  done.set_task_token(activity_task_);
  auto second = send(api::Method::kRespondActivityTaskCompleted, done);
  workflow_task_ = token_of<ws::PollWorkflowTaskQueueResponse>(*polled);
  EXPECT_EQ(commits_, begun_);
  pb::command::v1::Command end;
  end.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
  end.mutable_complete_workflow_execution_command_attributes();
  auto third = complete({end});
  for (auto* answer : {first.get(), second.get(), third.get()}) {
    auto result = answer->wait();
    EXPECT_TRUE(result) << result.error().to_string();
  }
  EXPECT_EQ(commits_, begun_ + 1);
}

TEST_F(UnawaitedBatchTest, GoesAtOnceWhenSomebodyAsks) {
  auto answer = take_look();
  ws::DescribeWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("w");
  const auto shown =
      call<ws::DescribeWorkflowExecutionResponse>(api::Method::kDescribeWorkflowExecution, request);
  EXPECT_EQ(shown.pending_activities_size(), 1);
  EXPECT_EQ(commits_, begun_ + 1) << "what is shown is on the disk";
  EXPECT_TRUE(answer->wait());
}

TEST_F(UnawaitedBatchTest, KeepsNoTimerWaiting) {
  pb::command::v1::Command timer;
  timer.set_command_type(enums::COMMAND_TYPE_START_TIMER);
  timer.mutable_start_timer_command_attributes()->set_timer_id("t");
  timer.mutable_start_timer_command_attributes()->mutable_start_to_fire_timeout()->set_nanos(1'000'000);
  auto answer = take_look({timer});
  auto polled = send(api::Method::kPollWorkflowTaskQueue, poll());
  EXPECT_THAT(token_of<ws::PollWorkflowTaskQueueResponse>(*polled), ::testing::Not(::testing::IsEmpty()));
  engine_.reset();
  EXPECT_TRUE(answer->wait()) << "what was accepted is committed and answered at the end";
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
