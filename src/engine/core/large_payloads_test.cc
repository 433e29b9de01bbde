// Goal: a large payload stands outside the history and comes back whole wherever its history is read, for as
// long as a run has it and no longer. Method: the engine with its threads on a real store; the rows are
// looked at from outside.

#include "engine/large_payloads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "api/messages.h"
#include "api/method.h"
#include "engine/engine.h"
#include "fixture/temporary_directory.h"
#include "history/payload_slot.h"
#include "history/stored.h"
#include "os/clock.h"
#include "store/keys.h"
#include "store/rocks_store.h"

namespace holdfast::engine {
namespace {

namespace keys = store::keys;
namespace stored = history::stored;
using enum api::Method;

std::string large(std::size_t bytes, unsigned seed) {
  std::mt19937 dice(seed);
  std::string data(bytes, '\0');
  for (char& c : data) c = static_cast<char>(dice());
  return data;
}

class LargePayloadsTest : public ::testing::Test {
 protected:
  using Rows = std::map<std::string, std::string>;

  LargePayloadsTest() {
    options_.core.limits.sweep_pause_ns = 1'000'000;
    open();
  }
  ~LargePayloadsTest() override { close(); }
  void open_store() {
    store::RocksOptions rocks;
    rocks.dir = (dir_ / "db").string();
    store_ = std::move(*store::RocksStore::open(rocks));
  }
  void open() {
    if (!store_) open_store();
    auto opened = Engine::open(options_, *store_, clock_, random_, nullptr);
    ASSERT_TRUE(opened) << opened.error().to_string();
    engine_ = std::move(*opened);
  }
  void close() {
    engine_.reset();
    store_.reset();
  }

  Result<api::MessagePtr> answer(api::Method method, const api::Message& request) {
    std::mutex mutex;
    std::condition_variable wake;
    std::optional<Result<api::MessagePtr>> result;
    api::MessagePtr copy(request.New());
    copy->CopyFrom(request);
    engine_->start(method, std::move(copy), {}, [&](Result<api::MessagePtr> got) {
      const std::lock_guard lock(mutex);
      result = std::move(got);
      wake.notify_all();
    });
    std::unique_lock lock(mutex);
    if (!wake.wait_for(lock, std::chrono::seconds(20), [&] { return result.has_value(); }))
      return fail(Code::kDeadlineExceeded, "no answer in 20 s");
    return std::move(*result);
  }
  template <typename Response>
  Response call(api::Method method, const api::Message& request) {
    auto result = answer(method, request);
    if (!result) {
      ADD_FAILURE() << api::method_name(method) << ": " << result.error().to_string();
      return Response();
    }
    return std::move(static_cast<Response&>(**result));
  }

  static ws::StartWorkflowExecutionRequest start_of(const std::string& id, const std::string& input) {
    ws::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id(id);
    request.set_request_id(id);
    request.mutable_workflow_type()->set_name("order");
    request.mutable_task_queue()->set_name("q");
    request.mutable_input()->add_payloads()->set_data(input);
    return request;
  }
  void start(const std::string& id, const std::string& input) {
    call<ws::StartWorkflowExecutionResponse>(kStartWorkflowExecution, start_of(id, input));
  }
  static ws::SignalWorkflowExecutionRequest signal_of(const std::string& id, const std::string& input) {
    ws::SignalWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.set_signal_name("s");
    request.mutable_input()->add_payloads()->set_data(input);
    return request;
  }
  ws::PollWorkflowTaskQueueResponse poll() {
    ws::PollWorkflowTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name("q");
    return call<ws::PollWorkflowTaskQueueResponse>(kPollWorkflowTaskQueue, request);
  }
  static ws::RespondWorkflowTaskCompletedRequest completion_of(const std::string& token) {
    ws::RespondWorkflowTaskCompletedRequest request;
    request.set_namespace_("default");
    request.set_task_token(token);
    return request;
  }
  void complete(const ws::RespondWorkflowTaskCompletedRequest& request) {
    call<ws::RespondWorkflowTaskCompletedResponse>(kRespondWorkflowTaskCompleted, request);
  }
  static ws::GetWorkflowExecutionHistoryRequest history_of(const std::string& id) {
    ws::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id);
    return request;
  }
  // All pages of it.
  pb::history::v1::History history(const std::string& id) {
    pb::history::v1::History all;
    auto request = history_of(id);
    do {
      auto page = call<ws::GetWorkflowExecutionHistoryResponse>(kGetWorkflowExecutionHistory, request);
      all.MergeFrom(page.history());
      request.set_next_page_token(page.next_page_token());
    } while (!request.next_page_token().empty());
    return all;
  }
  void erase(const std::string& id) {
    ws::DeleteWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    call<ws::DeleteWorkflowExecutionResponse>(kDeleteWorkflowExecution, request);
  }

  Rows table(char table) {
    Rows rows;
    const auto add = [&](std::uint16_t shard) {
      const Status status = store_->scan(keys::table_begin(shard, table), keys::table_end(shard, table),
                                         [&](std::string_view key, std::string_view value) {
                                           rows.emplace(key, value);
                                           return true;
                                         });
      EXPECT_TRUE(status.ok()) << status.to_string();
    };
    for (std::uint16_t shard = 0; shard < keys::kShardCount; ++shard) add(shard);
    add(keys::kStoreWide);
    return rows;
  }
  // Until nothing large is left in the store.
  bool nothing_is_left() {
    for (int i = 0; i < 2000; ++i) {
      if (table(keys::kPieceTable).empty() && table(keys::kStagedTable).empty() &&
          table(keys::kLargeTable).empty() && table(keys::kLargeOwnerTable).empty())
        return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  std::int32_t format_version() {
    stored::StoreMeta meta;
    EXPECT_TRUE(meta.ParseFromString(**store_->get(keys::store_meta())));
    return meta.format_version();
  }

  fixture::TemporaryDirectory dir_;
  EngineOptions options_;
  os::SystemClock clock_;
  os::SystemRandom random_;
  std::unique_ptr<store::RocksStore> store_;
  std::unique_ptr<Engine> engine_;
};

const std::string kInput = large((2 << 20) - 1000, 1);
const std::string kSignal = large(300'000, 2);
const std::string kArgument = large(500'001, 3);
const std::string kResult = large(kLargePayload, 4);

TEST_F(LargePayloadsTest, ComesBackWholeWhereverItIsRead) {
  start("small", std::string(1000, 's'));
  poll();
  start("w", kInput);
  EXPECT_EQ(format_version(), 3) << "builds that know nothing of large payloads cannot read it";
  const auto task = poll();
  EXPECT_EQ(task.history().events(0).workflow_execution_started_event_attributes().input().payloads(0).data(),
            kInput);
  // Waits in the state until the task is completed.
  call<ws::SignalWorkflowExecutionResponse>(kSignalWorkflowExecution, signal_of("w", kSignal));
  auto completion = completion_of(task.task_token());
  auto& command = *completion.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
  auto& activity = *command.mutable_schedule_activity_task_command_attributes();
  activity.set_activity_id("a");
  activity.mutable_activity_type()->set_name("charge");
  activity.mutable_task_queue()->set_name("q");
  activity.mutable_start_to_close_timeout()->set_seconds(60);
  activity.mutable_input()->add_payloads()->set_data(kArgument);
  complete(completion);

  ws::PollActivityTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("q");
  const auto charge = call<ws::PollActivityTaskQueueResponse>(kPollActivityTaskQueue, request);
  EXPECT_EQ(charge.input().payloads(0).data(), kArgument);
  ws::RespondActivityTaskCompletedRequest done;
  done.set_namespace_("default");
  done.set_task_token(charge.task_token());
  done.mutable_result()->add_payloads()->set_data(kResult);
  call<ws::RespondActivityTaskCompletedResponse>(kRespondActivityTaskCompleted, done);

  for (const bool restarted : {false, true}) {
    if (restarted) {
      close();
      open();
    }
    std::vector<std::string> found;
    const auto events = history("w");
    for (const auto& event : events.events()) {
      for (const auto* list : history::slotted_lists(event)) {
        if (list != nullptr) found.push_back(list->payloads(0).data());
      }
    }
    std::sort(found.begin(), found.end());
    std::vector<std::string> sent{kInput, kSignal, kArgument, kResult};
    std::sort(sent.begin(), sent.end());
    EXPECT_EQ(found.size(), 4u);
    EXPECT_TRUE(found == sent) << (restarted ? "after a restart" : "at once");
  }
  EXPECT_EQ(table(keys::kLargeTable).size(), 4u);
  EXPECT_TRUE(table(keys::kStagedTable).empty());
  for (const auto& [key, value] : table(keys::kExecutionTable))
    EXPECT_LT(value.size(), 4096u) << "what the engine commits is small";

  ws::DescribeWorkflowExecutionRequest describe;
  describe.set_namespace_("default");
  describe.mutable_execution()->set_workflow_id("w");
  const auto described = call<ws::DescribeWorkflowExecutionResponse>(kDescribeWorkflowExecution, describe);
  EXPECT_GT(described.workflow_execution_info().history_size_bytes(),
            static_cast<std::int64_t>(kInput.size() + kSignal.size() + kArgument.size() + kResult.size()));
}

TEST_F(LargePayloadsTest, GoesWithTheLastRunThatHasIt) {
  start("parent", kInput);
  const auto task = poll();
  auto completion = completion_of(task.task_token());
  auto& command = *completion.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
  auto& child = *command.mutable_start_child_workflow_execution_command_attributes();
  child.set_workflow_id("child");
  child.mutable_workflow_type()->set_name("order");
  child.mutable_task_queue()->set_name("q");
  child.set_parent_close_policy(enums::PARENT_CLOSE_POLICY_ABANDON);
  child.mutable_input()->add_payloads()->set_data(kArgument);
  complete(completion);
  // The child's first task and the news for its parent, in either order.
  for (int tasks = 0; tasks < 2; ++tasks) complete(completion_of(poll().task_token()));

  erase("parent");
  while (table(keys::kLargeTable).size() > 1) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const auto events = history("child");
  ASSERT_GT(events.events_size(), 0);
  EXPECT_TRUE(events.events(0).workflow_execution_started_event_attributes().input().payloads(0).data() ==
              kArgument);
  EXPECT_EQ(table(keys::kPieceTable).size(), (kArgument.size() + kPieceBytes - 1) / kPieceBytes);
  erase("child");
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(LargePayloadsTest, OfARefusedCallNothingIsLeft) {
  const auto refused = answer(kSignalWorkflowExecution, signal_of("nobody", kSignal));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kNotFound);
  EXPECT_TRUE(nothing_is_left());
  start("w", kSignal);
  start("w", kSignal);  // the same request again
  EXPECT_EQ(history("w").events(0).workflow_execution_started_event_attributes().input().payloads(0).data(),
            kSignal);
  erase("w");
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(LargePayloadsTest, WhatACrashLeftIsErased) {
  start("w", kSignal);  // the engine opens its store once more below
  const std::size_t pieces = table(keys::kPieceTable).size();
  engine_.reset();
  stored::LargePayload staged;
  staged.set_bytes(kPieceBytes + 1);
  const keys::LargeId id{.epoch = 1, .number = 1000};
  store::WriteBatch batch;
  batch.put(keys::staged_payload(id), history::serialize(staged));
  batch.put(keys::large_piece(id, 0), "a");  // and the next one was not written
  ASSERT_TRUE(store_->commit(batch).ok());
  open();
  for (int i = 0; i < 2000 && !table(keys::kStagedTable).empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(table(keys::kStagedTable).empty());
  EXPECT_EQ(table(keys::kPieceTable).size(), pieces);
  EXPECT_EQ(history("w").events(0).workflow_execution_started_event_attributes().input().payloads(0).data(),
            kSignal);
}

TEST_F(LargePayloadsTest, BytesThatLookLikeAPlaceAreTheirSenders) {
  start("w", kSignal);
  const std::string forged = history::SlotSigner("guessed").sign({.epoch = 1, .number = 1, .bytes = 300'000});
  start("v", forged);
  EXPECT_EQ(history("v").events(0).workflow_execution_started_event_attributes().input().payloads(0).data(),
            forged);
  EXPECT_EQ(table(keys::kLargeOwnerTable).size(), 1u);
}

TEST_F(LargePayloadsTest, OneThatIsLostIsToldAndOthersGoOn) {
  start("w", kSignal);
  start("v", kArgument);
  store::WriteBatch batch;
  batch.erase(table(keys::kPieceTable).begin()->first);
  ASSERT_TRUE(store_->commit(batch).ok());
  const auto lost = answer(kGetWorkflowExecutionHistory, history_of("w"));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), Code::kDataLoss);
  EXPECT_EQ(history("v").events(0).workflow_execution_started_event_attributes().input().payloads(0).data(),
            kArgument);
}

TEST(LargePayloadListsTest, LookingChangesNoMessage) {
  for (std::size_t i = 0; i < api::kMethodCount; ++i) {
    const auto method = static_cast<api::Method>(i);
    for (const bool answer : {false, true}) {
      const api::MessagePtr message = answer ? api::new_response(method) : api::new_request(method);
      if (method == kRespondWorkflowTaskCompleted && !answer) {
        auto& commands = *static_cast<ws::RespondWorkflowTaskCompletedRequest&>(*message).mutable_commands();
        commands.Add()->mutable_schedule_activity_task_command_attributes();
        commands.Add()->mutable_complete_workflow_execution_command_attributes();
      }
      const std::string before = message->SerializeAsString();
      if (answer) {
        EXPECT_EQ(bytes_to_fill(*message), 0);
        EXPECT_TRUE(lists_to_fill(message.get()).empty());
      } else {
        EXPECT_TRUE(lists_to_stage(method, message.get(), history::Limits()).empty());
      }
      EXPECT_EQ(message->SerializeAsString(), before) << api::method_name(method);
    }
  }
}

TEST_F(LargePayloadsTest, WhatIsOverTheLimitIsRefusedAsBefore) {
  auto request = start_of("w", kInput);
  request.mutable_input()->add_payloads()->set_data(kArgument);
  const auto refused = answer(kStartWorkflowExecution, request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  EXPECT_TRUE(table(keys::kPieceTable).empty());
}

}  // namespace
}  // namespace holdfast::engine
