// Children, continue-as-new, failures of code, versions, workers that come and go, through a real engine.

#include <atomic>

#include "fixture.h"

namespace holdfast::e2e {
namespace {

Task<int> doubles(workflow::Context& ctx, int value) {
  if (value < 0) throw ApplicationFailure("negative", "Negative");
  co_await ctx.sleep(1ms);
  co_return value * 2;
}

TEST_P(Sdk, ChildrenReturnResultsAndFailures) {
  Worker& worker = new_worker();
  worker.register_workflow("doubles", doubles);
  worker.register_workflow("parent", [](workflow::Context& ctx) -> Task<std::string> {
    const int four = co_await ctx.child<int>("doubles", ChildOptions(), 2);
    auto outcome = co_await attempt(ctx.child<int>("doubles", ChildOptions(), -1));
    co_return std::to_string(four) + " " + outcome.error().to_string();
  });
  start_worker();
  EXPECT_EQ(result<std::string>(start("parent")),
            "4 ChildWorkflowFailure: child workflow failed <- ApplicationFailure(Negative): negative");
}

TEST_P(Sdk, AChildIsSignaledAndCanceled) {
  Worker& worker = new_worker();
  worker.register_workflow("listener", [](workflow::Context& ctx) -> Task<std::string> {
    co_return co_await ctx.signal_channel<std::string>("say").receive();
  });
  worker.register_workflow("parent", [](workflow::Context& ctx) -> Task<std::string> {
    auto child = co_await ctx.start_child<std::string>("listener", ChildOptions());
    co_await child.signal("say", "hello");
    const std::string heard = co_await child.result();
    auto other = co_await ctx.start_child<std::string>("listener", ChildOptions());
    other.cancel();
    auto outcome = co_await attempt(other.result());
    auto nobody = co_await attempt(ctx.signal_external("no-such-workflow", "", "say", "x"));
    co_return heard + (is_canceled(outcome.error()) ? " canceled " : " ? ") + nobody.error().message();
  });
  start_worker();
  EXPECT_EQ(result<std::string>(start("parent")),
            "hello canceled unable to signal workflow \"no-such-workflow\" because it was not found");
}

TEST_P(Sdk, AnEndlessLoopIsFoundNamedAndEnded) {
  std::atomic<int> attempts = 0;
  Worker& worker = new_worker();
  worker.register_workflow("doubles", doubles);
  worker.register_workflow("loops", [&attempts](workflow::Context& ctx) -> Task<int> {
    const auto until = ctx.now() + (++attempts == 1 ? 1h : 0h);
    while (ctx.now() < until) {
    }
    co_return 1;
  });
  start_worker();
  const auto looping = start("loops");
  EXPECT_EQ(result<int>(looping), 1) << "its task was failed, and given out again";
  EXPECT_EQ(attempts, 2);
  EXPECT_THAT(logged(), HasSubstr("the code of workflow type \"loops\" has not yielded for 2000 ms"));
  EXPECT_EQ(result<int>(start("doubles", 2)), 4);
}

TEST_P(Sdk, ContinueAsNewCarriesOnAndResultFollows) {
  Worker& worker = new_worker();
  worker.register_workflow("countdown",
                           [](workflow::Context& ctx, int left, std::string path) -> Task<std::string> {
                             path += std::to_string(left);
                             if (left > 0) ctx.continue_as_new(left - 1, path);
                             co_return path + (ctx.info().continued_run_id.empty() ? " first" : " continued");
                           });
  start_worker();
  EXPECT_EQ(result<std::string>(start("countdown", 3, "")), "3210 continued");
}

TEST_P(Sdk, AnIdIsTakenWhileItsWorkflowRuns) {
  Worker& worker = new_worker();
  worker.register_workflow("listener", [](workflow::Context& ctx) -> Task<int> {
    co_return co_await ctx.signal_channel<int>("go").receive();
  });
  start_worker();
  StartOptions where = start_options();
  auto first = client_->start("listener", where);
  ASSERT_TRUE(first) << first.error().to_string();
  auto second = client_->start("listener", where);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kAlreadyExists);
  auto joined = client_->start("listener", where.id_conflict(IdConflictPolicy::kUseExisting));
  ASSERT_TRUE(joined) << joined.error().to_string();
  EXPECT_EQ(joined->run_id(), first->run_id());
  ASSERT_TRUE(first->signal("go", 7).ok());
  EXPECT_EQ(result<int>(*first), 7);
}

TEST_P(Sdk, ABugInWorkflowCodeWaitsForRepairedCode) {
  std::atomic<bool> repaired = false;
  Latch failed;
  Worker& worker = new_worker();
  worker.register_workflow("buggy", [&](workflow::Context&) -> Task<int> {
    if (!repaired) {
      failed.set();
      throw std::out_of_range("index 3 of 2");
    }
    co_return 1;
  });
  start_worker();
  StartOptions where = start_options();
  where.task_timeout(1s);
  auto handle = client_->start("buggy", where);
  ASSERT_TRUE(handle) << handle.error().to_string();
  ASSERT_TRUE(failed.wait());
  repaired = true;
  EXPECT_EQ(result<int>(*handle), 1);
  EXPECT_THAT(logged(), HasSubstr("index 3 of 2"));
}

// The same workflow before and after somebody changed it.
Task<std::string> version_one(workflow::Context& ctx) {
  const std::string first = co_await ctx.activity<std::string>("step", quick(), "one");
  co_await ctx.signal_channel<int>("go").receive();
  co_return first + co_await ctx.activity<std::string>("step", quick(), "two");
}
Task<std::string> version_broken(workflow::Context& ctx) {
  co_await ctx.sleep(1ms);
  co_return "?";
}
Task<std::string> version_patched(workflow::Context& ctx) {
  std::string first;
  if (ctx.patched("no-step")) {
    co_await ctx.sleep(1ms);
    first = "patched";
  } else {
    first = co_await ctx.activity<std::string>("step", quick(), "one");
  }
  co_await ctx.signal_channel<int>("go").receive();
  co_return first + co_await ctx.activity<std::string>("step", quick(), "two");
}

class Versions {
 public:
  static void step(Worker& worker) {
    worker.register_activity("step", [](activity::Context&, std::string name) { return "[" + name + "]"; });
  }
};

TEST_P(Sdk, ChangedCodeIsTurnedDownWithBothSidesAndPatchedCodeGoesOn) {
  Worker& first = new_worker();
  first.register_workflow("versioned", version_one);
  Versions::step(first);
  start_worker();
  StartOptions where = start_options();
  where.task_timeout(1s);
  auto old_run = client_->start("versioned", where);
  ASSERT_TRUE(old_run) << old_run.error().to_string();
  // Until the activity is done and the workflow waits for its signal.
  while (true) {
    auto history = old_run->history_json();
    ASSERT_TRUE(history) << history.error().to_string();
    if (history->find("ACTIVITY_TASK_COMPLETED") != std::string::npos) break;
  }
  worker_->stop();

  Worker& broken = new_worker();
  broken.register_workflow("versioned", version_broken);
  Versions::step(broken);
  start_worker();
  ASSERT_TRUE(old_run->signal("go", 1).ok());
  std::string history;
  while (history.find("NON_DETERMINISTIC_ERROR") == std::string::npos) {
    auto read = old_run->history_json();
    ASSERT_TRUE(read) << read.error().to_string();
    history = *read;
  }
  EXPECT_THAT(history, HasSubstr("[TMPRL1100] history and workflow code disagree at event 5"));
  EXPECT_THAT(logged(),
              HasSubstr("  history: ActivityTaskScheduled(activity_id \"1\", activity_type \"step\")\n"
                        "  code:    TimerStarted(timer_id \"1\")"));
  worker_->stop();

  Worker& patched = new_worker();
  patched.register_workflow("versioned", version_patched);
  Versions::step(patched);
  start_worker();
  EXPECT_EQ(result<std::string>(*old_run), "[one][two]");
  const auto new_run = start("versioned");
  ASSERT_TRUE(new_run.signal("go", 1).ok());
  EXPECT_EQ(result<std::string>(new_run), "patched[two]");

  // What was recorded replays, with the code that recorded it and not with other code.
  for (const auto& handle : {*old_run, new_run}) {
    auto recorded = handle.history_json();
    ASSERT_TRUE(recorded) << recorded.error().to_string();
    Replayer replayer;
    replayer.register_workflow("versioned", version_patched);
    auto report = replayer.replay_json(*recorded, handle.workflow_id());
    ASSERT_TRUE(report) << report.error().to_string();
    EXPECT_EQ(report->error, "");
    Replayer other;
    other.register_workflow("versioned", version_broken);
    auto disagreement = other.replay_json(*recorded, handle.workflow_id());
    ASSERT_TRUE(disagreement) << disagreement.error().to_string();
    EXPECT_TRUE(disagreement->nondeterministic) << disagreement->error;
  }
}

TEST_P(Sdk, AWorkerIsReplacedInTheMiddleOfARun) {
  std::atomic<int> steps = 0;
  const auto fill = [&](Worker& worker) {
    worker.register_workflow("long", [](workflow::Context& ctx) -> Task<std::string> {
      std::string out;
      auto next = ctx.signal_channel<std::string>("next");
      for (int i = 0; i < 4; ++i) {
        const std::string word = co_await next.receive();
        out += co_await ctx.activity<std::string>("step", quick(), word);
      }
      co_return out + std::to_string(ctx.random() % 1000);
    });
    worker.register_activity("step", [&steps](activity::Context&, std::string word) {
      ++steps;
      return word;
    });
  };
  fill(new_worker());
  start_worker();
  const auto handle = start("long");
  for (const char* word : {"a", "b", "c", "d"}) {
    ASSERT_TRUE(handle.signal("next", word).ok());
    worker_->stop();
    fill(new_worker());
    start_worker();
  }
  EXPECT_THAT(result<std::string>(handle), ::testing::StartsWith("abcd"));
  EXPECT_EQ(steps, 4);
}

TEST_P(Sdk, WithoutACacheEveryTaskReplaysTheHistory) {
  worker_ =
      std::make_unique<Worker>(backend_->connection(), environment(), options().max_cached_workflows(0));
  worker_->register_workflow("replays", [](workflow::Context& ctx) -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 5; ++i) {
      sum += co_await ctx.activity<int>("one", quick());
      const int effect = ctx.side_effect<int>([] { return 10; });
      sum += effect;
      co_await ctx.sleep(1ms);
    }
    co_return sum;
  });
  worker_->register_activity("one", [](activity::Context&) { return 1; });
  start_worker();
  EXPECT_EQ(result<int>(start("replays")), 55);
  EXPECT_EQ(logged(), "");
}

TEST_P(Sdk, ManyRunsThroughASmallCache) {
  worker_ =
      std::make_unique<Worker>(backend_->connection(), environment(), options().max_cached_workflows(3));
  worker_->register_workflow("short", [](workflow::Context& ctx, int value) -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 3; ++i) sum += co_await ctx.activity<int>("echo", quick(), value);
    co_return sum;
  });
  worker_->register_activity("echo", [](activity::Context&, int value) { return value; });
  start_worker();
  std::vector<WorkflowHandle> handles;
  for (int i = 0; i < 20; ++i) handles.push_back(start("short", i));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(result<int>(handles[static_cast<std::size_t>(i)]), 3 * i);
}

TEST_P(Sdk, DescribeTellsTypeStatusAndMemo) {
  Worker& worker = new_worker();
  worker.register_workflow("listener", [](workflow::Context& ctx) -> Task<int> {
    co_return co_await ctx.signal_channel<int>("go").receive();
  });
  start_worker();
  StartOptions where = start_options();
  where.memo(Memo{{"owner", to_payload("me")}});
  auto handle = client_->start("listener", where);
  ASSERT_TRUE(handle) << handle.error().to_string();
  auto description = handle->describe();
  ASSERT_TRUE(description) << description.error().to_string();
  EXPECT_EQ(description->workflow_type, "listener");
  EXPECT_EQ(description->status, WorkflowStatus::kRunning);
  EXPECT_EQ(from_payload<std::string>(description->memo.at("owner")), "me");
  ASSERT_TRUE(handle->terminate("done").ok());
  description = handle->describe();
  ASSERT_TRUE(description) << description.error().to_string();
  EXPECT_EQ(description->status, WorkflowStatus::kTerminated);
}

// More than any engine takes in one message.
std::string too_large() {
  return std::string(17 << 20, 'x');
}

TEST_P(Sdk, AnActivityWhoseResultIsTooLargeFailsAndDoesNotRunAgain) {
  Worker& worker = new_worker();
  std::atomic<int> runs = 0;
  worker.register_workflow("large", [](workflow::Context& ctx) -> Task<std::string> {
    co_return co_await ctx.activity<std::string>("large", quick().retry(RetryPolicy().initial(10ms)));
  });
  worker.register_activity("large", [&runs](activity::Context&) {
    ++runs;
    return too_large();
  });
  start_worker();
  // The engine's word for what reached it, the worker's for what did not.
  EXPECT_THAT(failure(start("large"))->to_string(),
              ::testing::AnyOf(HasSubstr("exceeds size limit"), HasSubstr("too large to be sent")));
  EXPECT_EQ(runs, 1);
}

TEST_P(Sdk, AWorkflowWhoseAnswerIsTooLargeEnds) {
  Worker& worker = new_worker();
  worker.register_workflow("large", [](workflow::Context&) -> Task<std::string> { co_return too_large(); });
  start_worker();
  const auto ended = failure(start("large"));
  if (GetParam() != "in_process") {
    EXPECT_EQ(ended->kind(), "TerminatedFailure");
    EXPECT_THAT(logged(), HasSubstr("too large to be sent"));
  }
}

TEST_P(Sdk, AWorkerWithoutTheTypeSaysSo) {
  Worker& worker = new_worker();
  worker.register_workflow("known", [](workflow::Context&) -> Task<int> { co_return 1; });
  start_worker();
  const auto handle = start("unknown");
  while (logged().find("no workflow of type") == std::string::npos) std::this_thread::yield();
  EXPECT_THAT(
      logged(),
      HasSubstr(
          "no workflow of type \"unknown\" is registered with this worker; it has the types \"known\""));
  ASSERT_TRUE(handle.terminate("done").ok());
}

}  // namespace
}  // namespace holdfast::e2e
