// Runs on a real engine and the real store, with a workflow that speaks the protocol of agents: a run is seen
// from its intent to its end, a decision reaches it once, requests at fault are told apart, and what an
// earlier process left is finished. Time that a person would wait for passes when the test says so.

#include "runs/runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "api/connection.h"
#include "base/json.h"
#include "engine/engine.h"
#include "fixture/temporary_directory.h"
#include "holdfast/worker.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"
#include "protocol/activities.h"
#include "protocol/names.h"
#include "protocol/run.h"
#include "store/rocks_store.h"
#include "visibility/index.h"

namespace holdfast::runs {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  return *std::move(result);
}

// The engine, with calls that do not get through.
class Line final : public api::Connection {
 public:
  explicit Line(api::Connection& behind) : behind_(behind) {}
  std::shared_ptr<api::CallHandle> start(api::Method method, api::MessagePtr request,
                                         api::CallOptions options, api::Completion done) override {
    if (method == api::Method::kStartWorkflowExecution && lost_starts-- > 0) {
      done(fail(Code::kUnavailable, "the line is down"));
      return nullptr;
    }
    return behind_.start(method, std::move(request), std::move(options), std::move(done));
  }
  std::atomic<int> lost_starts = 0;

 private:
  api::Connection& behind_;
};

// Short waits end at once, those of a person when the test says so.
class Timer {
 public:
  void after(milliseconds delay, std::move_only_function<void()> job) {
    if (delay <= 2s) return thread_.post(std::move(job));
    std::lock_guard lock(mutex_);
    held_.push_back(std::move(job));
  }
  void end_patience() {
    std::vector<std::move_only_function<void()>> jobs;
    {
      std::lock_guard lock(mutex_);
      jobs.swap(held_);
    }
    for (auto& job : jobs) job();
  }

 private:
  std::mutex mutex_;
  std::vector<std::move_only_function<void()>> held_;
  os::ThreadExecutor thread_{"timer"};
};

// Agents by what they do: "echo" ends at once, "fail" fails in a tool, "ask" waits for a person.
Task<protocol::RunResult> agent(workflow::Context& ctx, protocol::RunInput input) {
  protocol::RunResult result;
  if (input.agent == "fail") {
    co_await ctx.activity<void>(protocol::kToolActivity, ActivityOptions().start_to_close(10s));
  } else if (input.agent == "ask") {
    std::optional<protocol::Decision> decision;
    ctx.on_update(
        protocol::kDecideUpdate, [&](protocol::Decision taken) { decision = taken; },
        [&](protocol::Decision asked) {
          if (asked.comment == "refuse me") throw ApplicationFailure("not like that", "InvalidDecision");
        });
    co_await ctx.activity<void>(protocol::kRequestApprovalActivity, ActivityOptions().start_to_close(10s));
    co_await ctx.wait([&] { return decision.has_value(); });
    result.output = std::string(to_string(*decision->decision)) + " by " + decision->decided_by;
  } else {
    result.output = "version " + input.version;
  }
  co_return result;
}

class RunsTest : public ::testing::Test {
 protected:
  RunsTest() {
    platform::SqliteOptions options;
    options.directory = directory_ / "platform";
    platform_ = must(platform::open_sqlite(options, clock_, random_, flusher_));
    rocks_ = must(store::RocksStore::open(store::RocksOptions{.dir = directory_ / "engine"}));
    visibility::Index::Options index;
    index.path = (directory_ / "visibility.db").string();
    index_ = must(visibility::Index::open(index));
    engine_ = must(engine::Engine::open(engine::EngineOptions{}, *rocks_, clock_, random_, index_.get()));
    line_ = std::make_unique<Line>(*engine_);
    for (const char* name : {"echo", "fail", "ask"}) {
      version_ = must(platform_.store->put_definition(name, std::string("name: ") + name)).hash;
    }
    work();
    open();
  }
  ~RunsTest() override {
    rest();
    runs_.reset();
  }

  void open() {
    RunsDependencies deps;
    deps.connection = line_.get();
    deps.store = platform_.store.get();
    deps.streams = platform_.streams.get();
    deps.index = platform_.index.get();
    deps.environment = &environment_;
    deps.after = [this](milliseconds delay, auto job) { timer_.after(delay, std::move(job)); };
    deps.log = [](std::string_view message) { ADD_FAILURE() << message; };
    runs_ = std::make_unique<Runs>(std::move(deps));
  }
  void work() {
    worker_ = std::make_unique<Worker>(*engine_, environment_,
                                       WorkerOptions(protocol::kAgentQueue).in_process(true));
    worker_->register_workflow(protocol::kWorkflowType, agent);
    worker_->register_activity(protocol::kToolActivity, [](activity::Context&) {
      throw ApplicationFailure::non_retryable("no luck", "Unlucky");
    });
    worker_->register_activity(protocol::kRequestApprovalActivity, [this](activity::Context& ctx) {
      const std::string& run = ctx.info().workflow_id;
      platform::Approval approval;
      approval.id = "approval-" + run;
      approval.run = run;
      approval.agent = "ask";
      approval.tool = "pay";
      approval.arguments = "{}";
      if (run == "late") approval.expires_at = clock_.now();
      (void)must(platform_.store->request_approval(approval));
      (void)must(platform_.streams->publish(run, "approval.requested", "{}"));
    });
    ASSERT_TRUE(worker_->start().ok());
  }
  void rest() {
    if (worker_) worker_->stop();
    worker_.reset();
  }

  StartedRun start(const std::string& agent, const std::string& run) {
    return must(runs_->start(intent(agent, run)));
  }
  static platform::StartIntent intent(const std::string& agent, const std::string& run) {
    platform::StartIntent intent;
    intent.run = run;
    intent.agent = agent;
    intent.input = "\"hello\"";
    return intent;
  }
  // Waits until the run's log has that event, and gives its data.
  nlohmann::json wait_for(const std::string& run, std::string_view type) {
    struct Ready {
      std::mutex mutex;
      std::condition_variable wake;
      int count = 0;
    };
    auto ready = std::make_shared<Ready>();
    auto watch = must(runs_->watch({run}, std::nullopt, platform::Deltas::kCommitted, [ready] {
      std::lock_guard lock(ready->mutex);
      ++ready->count;
      ready->wake.notify_one();
    }));
    std::optional<nlohmann::json> found;
    while (!found) {
      {
        std::unique_lock lock(ready->mutex);
        if (!ready->wake.wait_for(lock, 20s, [&] { return ready->count > 0; })) break;
        ready->count = 0;
      }
      while (must(watch->take([&](const std::string&, const platform::Event* event) {
        if (event && event->type == type) found = nlohmann::json::parse(event->data);
      }))) {
      }
    }
    EXPECT_TRUE(found) << run << " never had " << type;
    return found.value_or(nlohmann::json());
  }
  // Waits until the record says that the history is gone, and with it what was kept for it.
  RunDetails without_history(const std::string& run) {
    const auto end = clock_.monotonic() + 20s;
    while (true) {
      RunDetails details = must(runs_->view(run));
      const bool logless = must(platform_.streams->read(run, "", 1)).events.empty();
      if (details.summary.standing.history_deleted_at && logless) return must(runs_->view(run));
      if (clock_.monotonic() > end) throw std::runtime_error("the history of " + run + " stays");
      std::this_thread::yield();
    }
  }
  Result<Decided> decide(const DecisionRequest& request) {
    std::promise<Result<Decided>> promise;
    auto decided = promise.get_future();
    runs_->decide(request, 10s, [&promise](Result<Decided> answer) { promise.set_value(std::move(answer)); });
    return decided.get();
  }
  static DecisionRequest approve(const std::string& run, const std::string& by) {
    DecisionRequest request;
    request.approval = "approval-" + run;
    request.decided_by = by;
    return request;
  }

  fixture::TemporaryDirectory directory_;
  os::SystemClock clock_;
  os::SystemRandom random_;
  Environment environment_{
      clock_, random_, [](const std::string& name) { return std::make_unique<os::ThreadExecutor>(name); }};
  os::ThreadExecutor flusher_{"flusher"};
  platform::OpenStores platform_;
  std::unique_ptr<store::RocksStore> rocks_;
  std::unique_ptr<visibility::Index> index_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Line> line_;
  std::string version_;  // of "ask"
  std::unique_ptr<Worker> worker_;
  Timer timer_;
  std::unique_ptr<Runs> runs_;
};

TEST_F(RunsTest, AHistoryThatIsDeletedTakesItsStepsAlongAndLeavesTheRecord) {
  for (const char* run : {"kept", "r"}) {
    (void)start("echo", run);
    wait_for(run, "run.closed");
    platform::StepWrite step;
    step.key = std::string("step-") + run;
    step.run = run;
    step.result = "1";
    (void)must(platform_.store->commit_step(step));
  }
  EXPECT_EQ(must(runs_->erase({.run = "r", .by = "mara"})), RunStatus::kCompleted);
  runs_->history_deleted("kept");  // one of its earlier runs, perhaps: the last is there
  runs_->history_deleted("r");
  const RunDetails left = without_history("r");
  EXPECT_EQ(left.summary.standing.status, RunStatus::kCompleted);
  EXPECT_EQ(left.summary.run.agent, "echo");
  EXPECT_EQ(left.progress.steps_json, "[]");
  EXPECT_FALSE(must(platform_.store->lookup_step("step-r")));
  EXPECT_TRUE(must(platform_.store->lookup_step("step-kept")));
  EXPECT_FALSE(must(runs_->view("kept")).summary.standing.history_deleted);
  EXPECT_THAT(must(platform_.streams->logs("", 10)), ElementsAre("kept"));
  EXPECT_EQ(must(runs_->erase({.run = "r", .by = "mara"})), RunStatus::kCompleted)
      << "to ask twice is no error";
  EXPECT_EQ(run_fault(runs_->erase({.run = "nobody", .by = "mara"}).error()), RunFault::kRunNotFound);
}

// Nobody is left to decide for.
TEST_F(RunsTest, WhatARunThatIsOverAskedHasExpired) {
  const auto pending = [this] {
    platform::ApprovalFilter filter;
    filter.status = platform::ApprovalStatus::kPending;
    std::vector<std::string> runs;
    for (const platform::Approval& one : must(platform_.store->approvals(filter))) runs.push_back(one.run);
    return runs;
  };
  for (const char* run : {"terminated", "deleted", "open"}) {
    (void)start("ask", run);
    (void)wait_for(run, "approval.requested");
  }
  EXPECT_EQ(pending().size(), 3u);
  (void)must(runs_->terminate({.run = "terminated", .by = "mara", .reason = "enough"}));
  (void)wait_for("terminated", "run.closed");
  EXPECT_THAT(pending(), ElementsAre("open", "deleted"));
  (void)must(runs_->erase({.run = "deleted", .by = "mara"}));
  // As what was asked for in the very moment in which the run ended.
  platform::Approval late;
  late.id = "late-question";
  late.run = "deleted";
  late.agent = "ask";
  late.tool = "pay";
  late.arguments = "{}";
  wait_for("deleted", "run.closed");
  (void)must(platform_.store->request_approval(late));
  runs_->history_deleted("deleted");
  (void)without_history("deleted");
  EXPECT_THAT(pending(), ElementsAre("open"));
  EXPECT_EQ(must(platform_.store->approval("late-question")).status, platform::ApprovalStatus::kExpired);
  EXPECT_EQ(must(decide(approve("terminated", "mara"))).outcome, DecisionOutcome::kExpired);
}

TEST_F(RunsTest, ARunThatTheEngineHasNotStartedIsNotGone) {
  line_->lost_starts = 1'000'000;
  (void)start("echo", "r");
  runs_->history_deleted("r");
  (void)start("echo", "s");
  line_->lost_starts = 0;
  // The pause before its next attempt has doubled each time, perhaps beyond what ends at once here.
  for (const auto end = clock_.monotonic() + 20s; !must(platform_.store->run("r")).started_at;) {
    ASSERT_LT(clock_.monotonic(), end) << "r was not started";
    timer_.end_patience();
    std::this_thread::yield();
  }
  wait_for("r", "run.closed");
  EXPECT_FALSE(must(runs_->view("r")).summary.standing.history_deleted);
}

TEST_F(RunsTest, ARunFromItsIntentToItsEnd) {
  auto first = start("ask", "r");
  EXPECT_TRUE(first.created);
  EXPECT_EQ(first.status, RunStatus::kQueued);
  EXPECT_EQ(first.run.definition_hash, version_);
  (void)wait_for("r", "approval.requested");
  auto waiting = must(runs_->view("r"));
  EXPECT_EQ(waiting.summary.standing.status, RunStatus::kRunning);
  EXPECT_TRUE(waiting.summary.waits_for_approval);
  EXPECT_EQ(waiting.approvals.size(), 1u);

  ASSERT_EQ(must(decide(approve("r", "mara"))).outcome, DecisionOutcome::kTaken);
  EXPECT_EQ(wait_for("r", "run.closed")["result"]["output"], "approve by mara");
  auto closed = must(runs_->view("r"));
  EXPECT_EQ(closed.summary.standing.status, RunStatus::kCompleted);
  EXPECT_THAT(closed.summary.standing.outcome->result, HasSubstr("approve by mara"));
  EXPECT_FALSE(closed.summary.waits_for_approval);

  auto again = start("ask", "r");
  EXPECT_FALSE(again.created);
  EXPECT_EQ(again.status, RunStatus::kCompleted);
}

TEST_F(RunsTest, AFailureIsToldFromTheEndOfItsChain) {
  start("fail", "r");
  auto closed = wait_for("r", "run.closed");
  EXPECT_EQ(closed["status"], "failed");
  EXPECT_EQ(closed["error"], (nlohmann::json{{"type", "Unlucky"}, {"message", "no luck"}}));
}

TEST_F(RunsTest, RequestsAtFaultAreToldApart) {
  start("echo", "r");
  auto fault = [this](platform::StartIntent intent) {
    auto started = runs_->start(std::move(intent));
    return started ? RunFault::kNone : run_fault(started.error());
  };
  EXPECT_EQ(fault(intent("nobody", "a")), RunFault::kAgentNotFound);
  platform::StartIntent wrong = intent("echo", "b");
  wrong.definition_hash = "no such version";
  EXPECT_EQ(fault(wrong), RunFault::kVersionNotFound);
  EXPECT_EQ(fault(intent("echo", "a/b")), RunFault::kInvalidRunId);
  EXPECT_EQ(fault(intent("echo", "$runs")), RunFault::kInvalidRunId);
  wrong = intent("echo", "c");
  wrong.idempotency_key = std::string(kMaxIdBytes + 1, 'k');
  EXPECT_EQ(fault(wrong), RunFault::kInvalidKey);
  EXPECT_EQ(fault(intent("ask", "r")), RunFault::kRunExists);

  EXPECT_EQ(run_fault(runs_->view("nothing").error()), RunFault::kRunNotFound);
  EXPECT_EQ(run_fault(runs_->cancel({.run = "nothing", .by = "mara", .reason = ""}).error()),
            RunFault::kRunNotFound);
  EXPECT_EQ(run_fault(runs_->approval("nothing").error()), RunFault::kApprovalNotFound);
  EXPECT_EQ(run_fault(decide(approve("nothing", "mara")).error()), RunFault::kApprovalNotFound);
  EXPECT_EQ(run_fault(runs_->list({.agent = "", .status = {}, .held = {}, .after = "nothing"}).error()),
            RunFault::kRunsCursorNotFound);
  EXPECT_EQ(must(runs_->list({})).runs.size(), 1u);
}

TEST_F(RunsTest, AStartThatGotLostIsRepeated) {
  line_->lost_starts = 3;
  start("echo", "r");
  EXPECT_EQ(wait_for("r", "run.closed")["status"], "completed");
}

TEST_F(RunsTest, WhatIsOverIsNotAskedToStop) {
  start("ask", "r");
  (void)wait_for("r", "approval.requested");
  EXPECT_EQ(must(runs_->cancel({.run = "r", .by = "mara", .reason = "enough"})), RunStatus::kRunning);
  EXPECT_EQ(wait_for("r", "run.closed")["error"]["message"], "the run was cancelled");
  EXPECT_EQ(must(runs_->cancel({.run = "r", .by = "mara", .reason = "enough"})), RunStatus::kCanceled);

  start("ask", "s");
  (void)wait_for("s", "approval.requested");
  EXPECT_EQ(must(runs_->terminate({.run = "s", .by = "mara", .reason = "enough"})), RunStatus::kRunning);
  EXPECT_EQ(wait_for("s", "run.closed")["error"]["message"], "the run was terminated: enough");
  EXPECT_EQ(must(runs_->terminate({.run = "s", .by = "mara", .reason = "enough"})), RunStatus::kTerminated);

  const auto rows = must(platform_.store->audit_rows("r", 10));
  EXPECT_EQ(std::ranges::count(rows, "run.cancel_requested", &platform::AuditRow::action), 1)
      << "what is over was not asked for anything";
  const auto asked = std::ranges::find(rows, "run.cancel_requested", &platform::AuditRow::action);
  ASSERT_NE(asked, rows.end());
  EXPECT_EQ(asked->actor, "mara");
  EXPECT_EQ(asked->detail, R"({"reason":"enough"})");
}

TEST_F(RunsTest, PagesFilterByStatus) {
  for (const char* run : {"r1", "r2", "r3"}) {
    start("echo", run);
    (void)wait_for(run, "run.closed");
  }
  start("ask", "r4");
  (void)wait_for("r4", "approval.requested");
  auto names = [this](const RunQuery& query, std::string* next = nullptr) {
    std::vector<std::string> out;
    RunPage page = must(runs_->list(query));
    for (const RunSummary& run : page.runs) out.push_back(run.run.run);
    if (next) *next = page.next;
    return out;
  };
  std::string next;
  EXPECT_THAT(
      names({.agent = "", .status = RunStatus::kCompleted, .held = {}, .after = "", .limit = 2}, &next),
      ElementsAre("r3", "r2"));
  EXPECT_THAT(
      names({.agent = "", .status = RunStatus::kCompleted, .held = {}, .after = next, .limit = 2}, &next),
      ElementsAre("r1"));
  EXPECT_EQ(next, "");
  EXPECT_THAT(names({.agent = "ask", .status = {}, .held = {}, .after = ""}), ElementsAre("r4"));
}

TEST_F(RunsTest, OneDecisionWins) {
  start("ask", "r");
  (void)wait_for("r", "approval.requested");
  DecisionRequest refused = approve("r", "mara");
  refused.comment = "refuse me";
  auto decided = must(decide(refused));
  EXPECT_EQ(decided.outcome, DecisionOutcome::kRefused);
  EXPECT_EQ(decided.why, "not like that");
  refused = approve("r", "mara");
  refused.arguments_sha256 = "of something else";
  EXPECT_EQ(must(decide(refused)).outcome, DecisionOutcome::kRefused);

  DecisionRequest keyed = approve("r", "mara");
  keyed.idempotency_key = "k";
  keyed.decision = protocol::DecisionKind::kReject;
  EXPECT_EQ(must(decide(keyed)).outcome, DecisionOutcome::kTaken);
  EXPECT_EQ(must(decide(keyed)).outcome, DecisionOutcome::kTaken);
  decided = must(decide(approve("r", "nils")));
  EXPECT_EQ(decided.outcome, DecisionOutcome::kAlreadyDecided);
  EXPECT_EQ(decided.approval.decided_by, "mara");
  EXPECT_EQ(wait_for("r", "run.closed")["result"]["output"], "reject by mara");

  start("ask", "late");
  (void)wait_for("late", "approval.requested");
  EXPECT_EQ(must(decide(approve("late", "mara"))).outcome, DecisionOutcome::kExpired);
}

TEST_F(RunsTest, ADecisionThatTakesLongIsOnItsWay) {
  start("ask", "r");
  (void)wait_for("r", "approval.requested");
  rest();  // nobody is there to take it
  std::promise<Result<Decided>> promise;
  runs_->decide(approve("r", "mara"), 10s,
                [&promise](Result<Decided> answer) { promise.set_value(std::move(answer)); });
  timer_.end_patience();
  auto decided = must(promise.get_future().get());
  EXPECT_EQ(decided.outcome, DecisionOutcome::kSent);
  EXPECT_EQ(decided.approval.status, platform::ApprovalStatus::kPending);
  work();
  EXPECT_EQ(wait_for("r", "run.closed")["result"]["output"], "approve by mara");
}

TEST_F(RunsTest, WhatAnEarlierProcessLeftIsFinished) {
  start("ask", "asks");
  (void)wait_for("asks", "approval.requested");
  runs_.reset();
  // Stored, and the process died before the engine heard of it.
  (void)must(platform_.store->start_run(intent("echo", "stored")));
  platform::DecisionAttempt attempt;
  attempt.update_id = "u";
  attempt.approval = "approval-asks";
  attempt.decided_by = "mara";
  (void)must(platform_.store->begin_decision(attempt));

  open();
  runs_->recover();
  EXPECT_EQ(wait_for("stored", "run.closed")["status"], "completed");
  EXPECT_EQ(wait_for("asks", "run.closed")["result"]["output"], "approve by mara");
}

TEST_F(RunsTest, AfterStopAnIntentIsKeptForTheNextProcess) {
  runs_->stop();
  EXPECT_TRUE(start("echo", "r").created);
  runs_.reset();
  EXPECT_EQ(must(platform_.store->run("r")).engine_run_id, "");
  open();
  runs_->recover();
  EXPECT_EQ(wait_for("r", "run.closed")["status"], "completed");
}

TEST_F(RunsTest, AWatchGoesOnWhereItWas) {
  auto publish = [this](const std::string& log, const std::string& type) {
    (void)must(platform_.streams->publish(log, type, "{}"));
  };
  auto seen = [](RunWatch& watch) {
    std::vector<std::string> out;
    while (must(watch.take([&](const std::string& log, const platform::Event* event) {
      out.push_back(log + " " + (event ? event->type : "reset"));
    }))) {
    }
    return out;
  };
  const std::vector<std::string> logs = {std::string(kRunsFeed), "a", "b"};
  publish(logs[0], "old news");
  publish("a", "one");
  publish("b", "two");
  auto watch = must(runs_->watch(logs, std::nullopt, platform::Deltas::kAtOnce, [] {}));
  EXPECT_THAT(seen(*watch), ElementsAre("a one", "b two"));
  const RunWatch::Place place = watch->place();
  publish("b", "three");
  publish(logs[0], "news");
  watch = must(runs_->watch(logs, place, platform::Deltas::kAtOnce, [] {}));
  EXPECT_THAT(seen(*watch), ElementsAre("$runs news", "b three"));
  watch = must(runs_->watch({"a"}, RunWatch::Place{{"a", "nonsense"}}, platform::Deltas::kAtOnce, [] {}));
  EXPECT_THAT(seen(*watch), ElementsAre("a reset", "a one"));
}

// ---- runs of which nothing is kept

class UnkeptRunsTest : public RunsTest {
 protected:
  StartedRun start_unkept(const std::string& agent, const std::string& run, const std::string& key = {}) {
    platform::StartIntent wanted = intent(agent, run);
    wanted.keep = false;
    wanted.idempotency_key = key;
    return must(runs_->start(wanted));
  }
  bool is_there(const std::string& run) {
    const auto unkept = must(platform_.store->unkept_run(run));
    return unkept && !unkept->forgotten_at;
  }
  void wait_until_gone(const std::string& run) {
    (void)without_history(run);
    EXPECT_FALSE(is_there(run));
    EXPECT_EQ(must(platform_.store->run(run)).input, "null");
    EXPECT_TRUE(must(platform_.store->bill(run)));
  }
};

TEST_F(UnkeptRunsTest, GoesWhenItIsOverAndEverybodyHasBeenTold) {
  StartedRun started = start_unkept("echo", "r");
  ASSERT_TRUE(started.telling);
  auto another = runs_->tell("r");
  wait_for("r", "run.closed");
  started.telling.reset();
  EXPECT_TRUE(is_there("r"));
  EXPECT_FALSE(must(platform_.streams->read("r", "", 1)).events.empty());
  another.reset();
  wait_until_gone("r");
  EXPECT_FALSE(runs_->tell("r"));
  EXPECT_FALSE(start_unkept("echo", "r").telling) << "the same request again is told nothing";
  (void)start("echo", "kept");
  EXPECT_FALSE(runs_->tell("kept"));
}

TEST_F(UnkeptRunsTest, NobodyIsThereToBeToldAndItIsOpen) {
  StartedRun started = start_unkept("ask", "r");
  (void)wait_for("r", "approval.requested");
  started.telling.reset();
  EXPECT_EQ(run_fault(runs_->retry({.run = "r", .id = "", .version = "", .by = "mara"}).error()),
            RunFault::kRunOpen);
  ASSERT_EQ(must(decide(approve("r", "mara"))).outcome, DecisionOutcome::kTaken);
  wait_until_gone("r");
  EXPECT_EQ(must(platform_.store->approval("approval-r")).decided_by, "mara");
}

TEST_F(UnkeptRunsTest, AnotherProcessGoesOnWithIt) {
  rest();
  StartedRun started = start_unkept("echo", "r");
  runs_->stop();
  started.telling.reset();
  runs_.reset();
  open();
  runs_->recover();
  work();
  wait_until_gone("r");
}

TEST_F(UnkeptRunsTest, AnAnswerThatItsRequestDidNotGetStaysForTheSameRequest) {
  StartedRun started = start_unkept("echo", "r", "key");
  wait_for("r", "run.closed");
  started.telling.reset();  // its client has gone
  started = start_unkept("echo", "r", "key");
  ASSERT_TRUE(started.telling);
  EXPECT_TRUE(is_there("r"));
  started.telling->told();
  started.telling.reset();
  wait_until_gone("r");
}

TEST_F(UnkeptRunsTest, WhatItCalledGoesBehindIt) {
  StartedRun started = start_unkept("echo", "r");
  platform::StepWrite write;
  for (const char* run : {"r", "child"}) {
    write.key = std::string("begin-") + run;
    write.run = run;
    write.account.emplace();
    write.account->run = run;
    write.account->parent = run == std::string("child") ? "r" : "";
    write.expected = platform::Store::empty_conversation(run);
    write.messages = {"1"};
    (void)must(platform_.store->commit_step(write));
  }
  wait_for("r", "run.closed");
  started.telling.reset();
  wait_until_gone("r");
  for (const auto end = clock_.monotonic() + 20s; is_there("child"); std::this_thread::yield())
    ASSERT_LT(clock_.monotonic(), end);
  EXPECT_EQ(platform_.store->head("child", 0).error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace holdfast::runs
