// Goal: nothing of a workflow runs after its main coroutine ended, so that what refers to its variables is
// safe; and code that does not yield can be ended. Method: runs fed with hand-written histories; what runs
// says whether the variables it looks at still live.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "worker/history_builder.h"
#include "worker/workflow_run.h"

namespace holdfast::worker {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> commands(const TaskResult& result) {
  if (result.failure) return {"FAILED: " + result.failure->failure.message()};
  std::vector<std::string> out;
  for (const auto& each : result.commands) {
    out.push_back(enums::CommandType_Name(each.command_type()).substr(sizeof("COMMAND_TYPE_") - 1));
  }
  return out;
}

// A variable of the main coroutine; `dead` outlives it.
class Local {
 public:
  explicit Local(bool* dead) : dead_(dead) {}
  ~Local() { *dead_ = true; }
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;

 private:
  bool* dead_;
};

// Does something when it dies.
class AtEnd {
 public:
  explicit AtEnd(std::function<void()> what) : what_(std::move(what)) {}
  ~AtEnd() { what_(); }
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;

 private:
  std::function<void()> what_;
};

class WorkflowEnd : public ::testing::Test {
 protected:
  // Whoever looks at the main coroutine's variables calls this.
  bool look() {
    ++looks_;
    late_looks_ += dead_ ? 1 : 0;
    return false;
  }
  TaskResult apply(const HistoryBuilder& history, const ProtocolMessages& messages = {}) {
    return run_.apply(history.events(), messages);
  }

  bool dead_ = false;
  int looks_ = 0;
  int late_looks_ = 0;
  Registry registry_;
  WorkflowRun run_{registry_, "default", "wf", "run", LogSink()};
};

TEST_F(WorkflowEnd, ConditionsAreNotLookedAt) {
  registry_.register_workflow("w", [this](workflow::Context& ctx) -> Task<int> {
    const Local local(&dead_);
    bool done = false;
    ctx.on_signal("poke",
                  [this, &ctx]() -> Task<void> { co_await ctx.wait_condition([this] { return look(); }); });
    ctx.on_signal("done", [&done]() -> Task<void> {
      done = true;
      co_return;
    });
    co_await ctx.wait_condition([&done] { return done; });
    co_return 1;
  });
  HistoryBuilder history;
  history.started("w").signaled("poke").task();
  apply(history);
  history.completed().signaled("done").task();
  EXPECT_THAT(commands(apply(history)), ElementsAre("COMPLETE_WORKFLOW_EXECUTION"));
  EXPECT_TRUE(dead_);
  EXPECT_GT(looks_, 0);
  EXPECT_EQ(late_looks_, 0);
}

TEST_F(WorkflowEnd, WhatIsReadyDoesNotRunAndWhatWaitsDiesFirst) {
  registry_.register_workflow("w", [this](workflow::Context& ctx) -> Task<int> {
    const Local local(&dead_);
    Promise<void> go;
    ctx.on_signal("poke", [this, go]() -> Task<void> {
      const AtEnd at_end([this] { look(); });
      co_await go.future();
      look();
    });
    co_await ctx.signal_channel<int>("done").receive();
    go.set_value();  // the handler is ready, and its turn would come after the end
    co_return 1;
  });
  HistoryBuilder history;
  history.started("w").signaled("poke").task();
  apply(history);
  history.completed().signaled("done", 1).task();
  EXPECT_THAT(commands(apply(history)), ElementsAre("COMPLETE_WORKFLOW_EXECUTION"));
  EXPECT_EQ(looks_, 1) << "the handler's own variables end, while the main coroutine's live";
  EXPECT_EQ(late_looks_, 0);
}

TEST_F(WorkflowEnd, NothingIsDeliveredAfterAFirstStepThatWasTheLast) {
  registry_.register_workflow("w", [this](workflow::Context& ctx) -> Task<int> {
    const Local local(&dead_);
    ctx.on_signal("poke", [this]() -> Task<void> {
      look();
      co_return;
    });
    ctx.on_update(
        "change",
        [this]() -> Task<int> {
          look();
          co_return 1;
        },
        [this] { look(); });
    co_return 1;
  });
  ProtocolMessages messages;
  auto& message = *messages.Add();
  message.set_id("u/request");
  message.set_protocol_instance_id("u");
  pb::update::v1::Request update;
  update.mutable_input()->set_name("change");
  message.mutable_body()->PackFrom(update);
  HistoryBuilder history;
  history.started("w").signaled("poke").task();
  const auto result = apply(history, messages);
  EXPECT_THAT(commands(result), ElementsAre("COMPLETE_WORKFLOW_EXECUTION"));
  EXPECT_TRUE(result.messages.empty()) << "the engine says that the workflow has ended";
  EXPECT_EQ(looks_, 0);
}

TEST_F(WorkflowEnd, AnExceptionEndsItToo) {
  registry_.register_workflow("w", [this](workflow::Context& ctx) -> Task<int> {
    const Local local(&dead_);
    ctx.on_signal("poke",
                  [this, &ctx]() -> Task<void> { co_await ctx.wait_condition([this] { return look(); }); });
    co_await ctx.signal_channel<int>("done").receive();
    throw ApplicationFailure("enough");
  });
  HistoryBuilder history;
  history.started("w").signaled("poke").task();
  apply(history);
  history.completed().signaled("done", 1).task();
  EXPECT_THAT(commands(apply(history)), ElementsAre("FAIL_WORKFLOW_EXECUTION"));
  EXPECT_EQ(late_looks_, 0);
}

TEST_F(WorkflowEnd, QueriesAreAnsweredFromBeforeIt) {
  registry_.register_workflow("w", [this](workflow::Context& ctx) -> Task<int> {
    const Local local(&dead_);
    ctx.set_dynamic_query_handler([this](std::string, std::vector<Payload>) {
      look();
      return to_payload(7);
    });
    co_return 1;
  });
  pb::query::v1::WorkflowQuery query;
  query.set_query_type("anything");
  run_.expect_query("q", query);
  HistoryBuilder history;
  history.started("w").task();
  apply(history);
  EXPECT_EQ(run_.query(query, "q").answer().payloads(0).data(), "7");
  EXPECT_THAT(run_.query(query).error_message(), HasSubstr("the workflow has ended"));
  EXPECT_EQ(late_looks_, 0);
}

// ---- code that does not yield

TEST_F(WorkflowEnd, InterruptedCodeEndsWhereItUsesItsContext) {
  registry_.register_workflow("loops", [this](workflow::Context& ctx) -> Task<int> {
    run_.interrupt();
    const auto until = ctx.now() + 1h;
    while (ctx.now() < until) {
    }
    co_return 1;
  });
  HistoryBuilder history;
  history.started("loops").task();
  const auto result = apply(history);
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->failure.application_failure_info().type(), "PotentialDeadlock");
  EXPECT_THAT(result.failure->failure.message(), HasSubstr("workflow type \"loops\""));
}

TEST_F(WorkflowEnd, InterruptedCodeEndsWhereItAwaits) {
  registry_.register_workflow("w", [this](workflow::Context&) -> Task<int> {
    const auto step = []() -> Task<void> { co_return; };
    run_.interrupt();
    while (true) co_await step();
  });
  HistoryBuilder history;
  history.started("w").task();
  EXPECT_TRUE(apply(history).failure);
}

TEST_F(WorkflowEnd, InterruptedCodeThatSwallowsItDoesNotComplete) {
  registry_.register_workflow("w", [this](workflow::Context& ctx) -> Task<int> {
    run_.interrupt();
    try {
      ctx.now();
    } catch (const std::exception&) {
    }
    co_return 1;
  });
  HistoryBuilder history;
  history.started("w").task();
  EXPECT_TRUE(apply(history).failure);
}

}  // namespace
}  // namespace holdfast::worker
