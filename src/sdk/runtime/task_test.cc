// The ready queue keeps order, survives long loops, and destroys what is left, whatever state it is in. Each
// test runs coroutines on a scheduler of its own and drains it, as the worker does.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "holdfast/combinators.h"
#include "holdfast/task.h"

namespace holdfast {
namespace {

using detail::Scheduler;
using detail::ScopeState;
using Log = std::vector<std::string>;

class Noted {
 public:
  Noted(Log& log, std::string name) : log_(&log), name_(std::move(name)) {}
  Noted(const Noted&) = delete;
  Noted& operator=(const Noted&) = delete;
  ~Noted() { log_->push_back("~" + name_); }

 private:
  Log* log_;
  std::string name_;
};

Task<int> number(int value) {
  co_return value;
}

Task<void> count(int times, std::int64_t* sum) {
  for (int i = 0; i < times; ++i) *sum += co_await number(1);
}

Task<void> note(Log& log, std::string name, Future<void> until) {
  log.push_back(name + " begins");
  co_await until;
  log.push_back(name + " ends");
}

TEST(Scheduler, ALoopOfTwoMillionAwaitsDoesNotDeepenTheStack) {
  Scheduler scheduler;
  std::int64_t sum = 0;
  scheduler.adopt(count(2'000'000, &sum), scheduler.root_scope());
  scheduler.drain();
  EXPECT_EQ(sum, 2'000'000);
  EXPECT_EQ(scheduler.task_count(), 0u);
}

TEST(Scheduler, RunsInTheOrderOfArrival) {
  Scheduler scheduler;
  Log log;
  Promise<void> go;
  for (const char* name : {"a", "b", "c"})
    scheduler.adopt(note(log, name, go.future()), scheduler.root_scope());
  scheduler.drain();
  EXPECT_EQ(log, (Log{"a begins", "b begins", "c begins"}));
  go.set_value();
  scheduler.drain();
  EXPECT_EQ(log, (Log{"a begins", "b begins", "c begins", "a ends", "b ends", "c ends"}));
}

Task<void> say(Log& log, std::string word) {
  log.push_back(word);
  co_return;
}
Task<void> say_twice(Log& log, std::string word) {
  co_await say(log, word + "1");
  co_await say(log, word + "2");
}

TEST(Scheduler, AwaitingATaskIsACallThatOthersDoNotInterrupt) {
  Scheduler scheduler;
  Log log;
  for (const char* name : {"a", "b"}) scheduler.adopt(say_twice(log, name), scheduler.root_scope());
  scheduler.drain();
  EXPECT_EQ(log, (Log{"a1", "a2", "b1", "b2"}));
}

Task<void> hold(Log& log, std::string name, Future<void> until) {
  Noted noted(log, std::move(name));
  co_await until;
}
Task<void> hold_nested(Log& log, Future<void> until) {
  Noted noted(log, "outer");
  co_await hold(log, "inner", until);
}

TEST(Scheduler, DestroysWaitingTasksNewestFirstAndInnerBeforeOuter) {
  Log log;
  Promise<void> never;
  {
    Scheduler scheduler;
    scheduler.adopt(hold(log, "first", never.future()), scheduler.root_scope());
    scheduler.adopt(hold_nested(log, never.future()), scheduler.root_scope());
    scheduler.drain();
  }
  EXPECT_EQ(log, (Log{"~inner", "~outer", "~first"}));
  never.set_value();  // nobody listens any more
}

TEST(Scheduler, DestroysTasksThatAreReadyButNeverResumed) {
  Log log;
  Promise<void> go;
  {
    Scheduler scheduler;
    scheduler.adopt(hold(log, "x", go.future()), scheduler.root_scope());
    scheduler.drain();
    go.set_value();  // queued
  }
  EXPECT_EQ(log, (Log{"~x"}));
}

Task<void> forever() {
  while (true) co_await number(0);
}

TEST(Scheduler, AWorkflowThatNeverWaitsIsStopped) {
  Scheduler scheduler;
  scheduler.set_max_resumes(1000);
  scheduler.adopt(forever(), scheduler.root_scope());
  EXPECT_THROW(scheduler.drain(), std::runtime_error);
}

TEST(Scheduler, ConditionsAreLookedAtUntilNothingChanges) {
  Scheduler scheduler;
  int stage = 0;
  auto first = std::make_shared<detail::FutureState<void>>();
  auto second = std::make_shared<detail::FutureState<void>>();
  scheduler.add_condition([&] { return stage == 2; }, second);
  scheduler.add_condition([&] { return stage == 1; }, first);
  auto advance = [](Future<void> until, int* at) -> Task<void> {
    co_await until;
    ++*at;
  };
  scheduler.adopt(advance(Future<void>(first), &stage), scheduler.root_scope());
  scheduler.drain();
  EXPECT_FALSE(first->ready());
  stage = 1;
  scheduler.drain();
  EXPECT_TRUE(second->ready());
}

template <typename T>
T run(Scheduler& scheduler, Task<T> task) {
  auto future = detail::spawn_on(scheduler, scheduler.root_scope(), std::move(task));
  scheduler.drain();
  return future.get();
}

Task<int> fails(std::string message) {
  throw ApplicationFailure(message);
  co_return 0;
}

Task<std::string> compensates() {
  auto outcome = co_await attempt(fails("no stock"));
  if (outcome) co_return "?";
  const int repaired = co_await number(7);
  co_return outcome.error().message() + std::to_string(repaired);
}

TEST(Attempt, GivesTheFailureAsAValueSoThatCompensationMayWait) {
  Scheduler scheduler;
  EXPECT_EQ(run(scheduler, compensates()), "no stock7");
}

// Waits until it is canceled, as an activity or timer of a workflow does.
Task<int> until_canceled(Scheduler& scheduler, Log& log, std::string name) {
  Promise<int> result;
  auto scope = scheduler.current_scope();
  scope->on_cancel([&log, name, result] {
    log.push_back("cancel " + name);
    result.set_failure(CanceledFailure());
  });
  co_return co_await result.future();
}

TEST(All, WaitsForEveryBranchInOrder) {
  Scheduler scheduler;
  auto [a, b, c] = run(scheduler, all(number(1), number(2), []() -> Task<void> { co_return; }()));
  EXPECT_EQ(a + b, 3);
  std::vector<Task<int>> many;
  for (int i = 0; i < 5; ++i) many.push_back(number(i));
  EXPECT_EQ(run(scheduler, all(std::move(many))), (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(run(scheduler, all(std::vector<Task<int>>())).empty());
}

TEST(All, AFailureCancelsTheOthersAndIsThrownWhenTheyHaveEnded) {
  Scheduler scheduler;
  Log log;
  try {
    run(scheduler, all(until_canceled(scheduler, log, "a"), fails("b broke")));
    FAIL();
  } catch (const ApplicationFailure& failure) {
    EXPECT_EQ(failure.message(), "b broke");
  }
  EXPECT_EQ(log, (Log{"cancel a"}));
  EXPECT_EQ(scheduler.task_count(), 0u);
}

TEST(Race, TheFirstWinsAndTheOthersAreCanceled) {
  Scheduler scheduler;
  Log log;
  auto winner = run(scheduler, race(until_canceled(scheduler, log, "slow"), number(9)));
  EXPECT_EQ(winner.index(), 1u);
  EXPECT_EQ(std::get<1>(winner), 9);
  EXPECT_EQ(log, (Log{"cancel slow"}));
  EXPECT_EQ(scheduler.task_count(), 0u);
}

TEST(Scope, CancelRunsCallbacksInOrderAndThenTheChildren) {
  Log log;
  auto root = std::make_shared<ScopeState>(nullptr);
  auto child = ScopeState::child_of(root);
  child->on_cancel([&] { log.push_back("child"); });
  root->on_cancel([&] { log.push_back("one"); });
  const auto forgotten = root->on_cancel([&] { log.push_back("two"); });
  root->on_cancel([&] { log.push_back("three"); });
  root->forget(forgotten);
  root->cancel("why");
  root->cancel("again");
  EXPECT_EQ(log, (Log{"one", "three", "child"}));
  EXPECT_EQ(child->reason(), "why");
  EXPECT_TRUE(ScopeState::child_of(root)->canceled());
}

Task<bool> in_scope_of_caller(Scheduler& scheduler) {
  const auto own = scheduler.current_scope();
  auto inner = [](Scheduler& s) -> Task<detail::ScopePtr> { co_return s.current_scope(); };
  co_return co_await inner(scheduler) == own;
}

TEST(Scope, IsInheritedFromTheAwaiter) {
  Scheduler scheduler;
  EXPECT_TRUE(run(scheduler, in_scope_of_caller(scheduler)));
}

}  // namespace
}  // namespace holdfast
