// Data directories written by earlier versions open in this one, say what they said, and their open runs go
// on.
//
// Method: tests/data/engine-v<format> holds a small directory per landed format; a copy of it is opened with
// the real store, index and engine. A new format adds a directory and changes no old one:
//   HOLDFAST_WRITE_FORMAT=<new directory> format_test --gtest_also_run_disabled_tests
//   --gtest_filter='*Writes*'

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "api/messages.h"
#include "call.h"
#include "engine/engine.h"
#include "engine/stored_law.h"
#include "fixture/temporary_directory.h"
#include "flow.h"
#include "history_check.h"
#include "os/clock.h"
#include "store/rocks_store.h"
#include "visibility/index.h"

namespace holdfast::crash {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using api::Method;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kTimeout = 20s;
constexpr auto kPoll = 300ms;
constexpr int kMaxTurns = 500;

// Time goes on from the moment the directory was written, so that its timeouts and retention have not run
// out.
class ClockSince final : public Clock {
 public:
  explicit ClockSince(WallTime begin) : offset_(begin - system_.now()) {}
  WallTime now() const override { return system_.now() + offset_; }
  MonotonicTime monotonic() const override { return system_.monotonic(); }

 private:
  os::SystemClock system_;
  std::chrono::nanoseconds offset_;
};

WallTime written_at(const std::string& dir) {
  std::int64_t seconds = 0;
  std::ifstream(dir + "/written") >> seconds;
  return seconds == 0 ? os::SystemClock().now() : WallTime(std::chrono::seconds(seconds));
}

class Node {
 public:
  explicit Node(const std::string& dir) : clock_(written_at(dir)) {
    auto opened_store = store::RocksStore::open({.dir = dir + "/engine"});
    EXPECT_TRUE(opened_store) << (opened_store ? "" : opened_store.error().to_string());
    store_ = std::move(*opened_store);
    auto opened_index = visibility::Index::open({.path = dir + "/visibility.db"});
    EXPECT_TRUE(opened_index) << (opened_index ? "" : opened_index.error().to_string());
    index_ = std::move(*opened_index);
    auto opened = engine::Engine::open({}, *store_, clock_, random_, index_.get());
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().to_string());
    engine_ = std::move(*opened);
  }

  api::Connection& connection() { return *engine_; }

  void start(const std::string& id) {
    auto request = std::make_unique<ws::StartWorkflowExecutionRequest>();
    request->set_namespace_(kNamespace);
    request->set_workflow_id(id);
    request->set_request_id("start-" + id);
    request->mutable_workflow_type()->set_name("golden");
    request->mutable_task_queue()->set_name(kTaskQueue);
    (*request->mutable_memo()->mutable_fields())["note"].set_data("\"kept\"");
    EXPECT_TRUE(call<ws::StartWorkflowExecutionResponse>(*engine_, Method::kStartWorkflowExecution,
                                                         std::move(request), kTimeout));
  }

  void signal(const std::string& id, const std::string& name) { signal(id, name, name); }
  void signal(const std::string& id, const std::string& name, const std::string& request_id) {
    auto request = std::make_unique<ws::SignalWorkflowExecutionRequest>();
    request->set_namespace_(kNamespace);
    request->mutable_workflow_execution()->set_workflow_id(id);
    request->set_signal_name("note");
    request->set_request_id(request_id);
    set_text(*request->mutable_input(), name);
    EXPECT_TRUE(call<ws::SignalWorkflowExecutionResponse>(*engine_, Method::kSignalWorkflowExecution,
                                                          std::move(request), kTimeout));
  }

  // One workflow task, if there is one.
  bool workflow_turn() {
    auto request = std::make_unique<ws::PollWorkflowTaskQueueRequest>();
    request->set_namespace_(kNamespace);
    request->mutable_task_queue()->set_name(kTaskQueue);
    auto task = call<ws::PollWorkflowTaskQueueResponse>(*engine_, Method::kPollWorkflowTaskQueue,
                                                        std::move(request), kPoll);
    if (!task || (*task)->task_token().empty()) return false;
    auto answer = std::make_unique<ws::RespondWorkflowTaskCompletedRequest>(decide(**task));
    return call<ws::RespondWorkflowTaskCompletedResponse>(*engine_, Method::kRespondWorkflowTaskCompleted,
                                                          std::move(answer), kTimeout)
        .has_value();
  }
  bool activity_turn() {
    auto request = std::make_unique<ws::PollActivityTaskQueueRequest>();
    request->set_namespace_(kNamespace);
    request->mutable_task_queue()->set_name(kTaskQueue);
    auto task = call<ws::PollActivityTaskQueueResponse>(*engine_, Method::kPollActivityTaskQueue,
                                                        std::move(request), kPoll);
    if (!task || (*task)->task_token().empty()) return false;
    auto answer = std::make_unique<ws::RespondActivityTaskCompletedRequest>();
    answer->set_namespace_(kNamespace);
    answer->set_task_token((*task)->task_token());
    set_text(*answer->mutable_result(), "done");
    return call<ws::RespondActivityTaskCompletedResponse>(*engine_, Method::kRespondActivityTaskCompleted,
                                                          std::move(answer), kTimeout)
        .has_value();
  }

  // An update needs someone who works on it while its caller waits.
  void update(const std::string& id) {
    auto request = std::make_unique<ws::UpdateWorkflowExecutionRequest>();
    request->set_namespace_(kNamespace);
    request->mutable_workflow_execution()->set_workflow_id(id);
    request->mutable_wait_policy()->set_lifecycle_stage(
        enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
    request->mutable_request()->mutable_meta()->set_update_id(id + "/update");
    request->mutable_request()->mutable_input()->set_name("change");
    set_text(*request->mutable_request()->mutable_input()->mutable_args(), id);
    auto answer = std::make_shared<std::promise<bool>>();
    auto answered = answer->get_future();
    engine_->start(Method::kUpdateWorkflowExecution, std::move(request), {},
                   [answer](Result<api::MessagePtr> result) { answer->set_value(result.has_value()); });
    for (int i = 0; i < kMaxTurns && answered.wait_for(0s) != std::future_status::ready; ++i) workflow_turn();
    EXPECT_TRUE(answered.get());
  }

  pb::history::v1::History history(const std::string& id) {
    auto request = std::make_unique<ws::GetWorkflowExecutionHistoryRequest>();
    request->set_namespace_(kNamespace);
    request->mutable_execution()->set_workflow_id(id);
    auto answer = call<ws::GetWorkflowExecutionHistoryResponse>(
        *engine_, Method::kGetWorkflowExecutionHistory, std::move(request), kTimeout);
    EXPECT_TRUE(answer) << (answer ? "" : answer.error().to_string());
    return answer ? (*answer)->history() : pb::history::v1::History();
  }

  bool closed(const std::string& id) {
    const auto all = history(id);
    return all.events_size() > 0 &&
           all.events(all.events_size() - 1).event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED;
  }

  void run_until_closed(const std::string& id) {
    for (int i = 0; i < kMaxTurns && !closed(id); ++i) {
      if (!workflow_turn()) activity_turn();
    }
    EXPECT_TRUE(closed(id)) << id;
  }

  std::set<std::string> listed(const std::string& query) {
    auto request = std::make_unique<ws::ListWorkflowExecutionsRequest>();
    request->set_namespace_(kNamespace);
    request->set_query(query);
    auto answer = call<ws::ListWorkflowExecutionsResponse>(*engine_, Method::kListWorkflowExecutions,
                                                           std::move(request), kTimeout);
    EXPECT_TRUE(answer) << (answer ? "" : answer.error().to_string());
    std::set<std::string> ids;
    if (!answer) return ids;
    for (const auto& info : (*answer)->executions()) {
      ids.insert(info.execution().workflow_id());
      EXPECT_EQ(info.memo().fields().at("note").data(), "\"kept\"");
    }
    return ids;
  }

 private:
  ClockSince clock_;
  os::SystemRandom random_;
  std::unique_ptr<store::RocksStore> store_;
  std::unique_ptr<visibility::Index> index_;
  std::unique_ptr<engine::Engine> engine_;
};

// From format 3 on "at-start" has been told the same again and again, more often than its state has room for.
constexpr int kRepeats = 100;

std::string repeat(int i) {
  return "at-start/1, told once more with a request id of its own: " + std::to_string(i);
}

class EngineFormat : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    fs::copy(std::string(HOLDFAST_TEST_DATA) + "/engine-v" + std::to_string(GetParam()), dir_,
             fs::copy_options::recursive);
  }
  fixture::TemporaryDirectory directory_;
  const std::string dir_ = directory_.path();
};

TEST_P(EngineFormat, OpensSaysWhatItSaidAndItsOpenRunsGoOn) {
  Node node(dir_);
  EXPECT_THAT(node.listed("ExecutionStatus = 'Completed'"), ElementsAre("closed"));
  EXPECT_THAT(node.listed("ExecutionStatus = 'Running'"), ElementsAre("at-activity", "at-start", "at-timer"));
  for (const char* id : {"closed", "at-activity", "at-start", "at-timer"}) {
    EXPECT_THAT(history_problems(node.history(id)), IsEmpty()) << id;
  }
  int activities = 0;
  const auto closed = node.history("closed");
  for (const auto& event : closed.events()) {
    activities += event.event_type() == enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED ? 1 : 0;
  }
  EXPECT_EQ(activities, kSteps);
  node.start("closed");  // the same request id is the same run, also after an upgrade
  EXPECT_EQ(node.history("closed").SerializeAsString(), closed.SerializeAsString());
  // What was told before an upgrade is known after it.
  const auto told = node.history("at-start").events_size();
  node.signal("at-start", "at-start/1");
  for (int i = 0; GetParam() > 2 && i < kRepeats; ++i) node.signal("at-start", "at-start/1", repeat(i));
  EXPECT_EQ(node.history("at-start").events_size(), told);
  for (const char* id : {"at-activity", "at-start", "at-timer"}) {
    node.signal(id, std::string(id) + "/2");
    node.signal(id, std::string(id) + "/3");
    node.update(id);
    node.run_until_closed(id);
    EXPECT_THAT(history_problems(node.history(id)), IsEmpty()) << id;
  }
}

// Reset, verification and migration stand on this: what an earlier version stored follows from its history.
TEST_P(EngineFormat, ItsHistoriesGiveItsStates) {
  auto store = store::RocksStore::open({.dir = dir_ + "/engine"});
  ASSERT_TRUE(store) << store.error().to_string();
  int seen = 0;
  EXPECT_THAT(engine::testing::StoredLaw(**store).look_at_all(&seen), IsEmpty());
  EXPECT_EQ(seen, 4);
}

TEST_P(EngineFormat, ALostIndexIsRebuiltFromTheStore) {
  for (const char* file : {"visibility.db", "visibility.db-wal", "visibility.db-shm"})
    fs::remove(dir_ + "/" + file);
  Node node(dir_);
  EXPECT_THAT(node.listed(""), ElementsAre("at-activity", "at-start", "at-timer", "closed"));
}

INSTANTIATE_TEST_SUITE_P(Versions, EngineFormat, ::testing::Values(1, 3));

// Tables and log: what is written before the second opening becomes a table at it.
TEST(Golden, DISABLED_WritesADirectoryOfThisVersion) {
  const char* target = std::getenv("HOLDFAST_WRITE_FORMAT");
  ASSERT_NE(target, nullptr) << "HOLDFAST_WRITE_FORMAT names the new directory";
  ASSERT_TRUE(fs::create_directories(target)) << target << " is there already";
  {
    Node node(target);
    node.start("closed");
    for (const char* signal : {"closed/1", "closed/2", "closed/3"}) node.signal("closed", signal);
    node.update("closed");
    node.run_until_closed("closed");
  }
  Node node(target);
  node.start("at-timer");
  node.signal("at-timer", "at-timer/1");
  while (node.workflow_turn()) {
  }
  node.start("at-activity");
  node.signal("at-activity", "at-activity/1");
  while (node.workflow_turn()) {
  }
  // The older activity completes; its run goes on to its timer and stays there.
  ASSERT_TRUE(node.activity_turn());
  ASSERT_TRUE(node.workflow_turn());
  node.start("at-start");
  node.signal("at-start", "at-start/1");
  for (int i = 0; i < kRepeats; ++i) node.signal("at-start", "at-start/1", repeat(i));
  const auto now = os::SystemClock().now().time_since_epoch();
  std::ofstream(std::string(target) + "/written")
      << std::chrono::duration_cast<std::chrono::seconds>(now).count() + 1 << "\n";
}

}  // namespace
}  // namespace holdfast::crash
