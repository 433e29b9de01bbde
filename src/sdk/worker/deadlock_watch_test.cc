// Goal: code that keeps its turn is reported once, code that gives it back is not. Method: a clock that runs
// ahead, so that no pause is waited for, and turns held by the test.

#include "worker/deadlock_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "fixture/hasty_clock.h"
#include "os/thread_executor.h"

namespace holdfast::worker {
namespace {

using fixture::HastyClock;

using namespace std::chrono_literals;

class Silent : public api::Connection {
 public:
  std::shared_ptr<api::CallHandle> start(api::Method, api::MessagePtr, api::CallOptions,
                                         api::Completion) override {
    return nullptr;
  }
};

class Watch : public ::testing::Test {
 protected:
  // Before what their callbacks use.
  void TearDown() override { timers_.reset(); }

  HastyClock clock_;
  Silent connection_;
  Registry registry_;
  WorkflowRun run_{registry_, "default", "wf", "run", LogSink()};
  DeadlockWatch::Task task_;
  std::promise<std::string> reported_;
  std::atomic<int> reports_ = 0;
  DeadlockWatch::Report report_ = [this](const DeadlockWatch::Task& task) {
    if (++reports_ == 1) reported_.set_value(task.workflow_type().name());
  };
  std::unique_ptr<TimerLoop> timers_ =
      std::make_unique<TimerLoop>(clock_, std::make_unique<os::ThreadExecutor>("timers"));
  Courier courier_{connection_, clock_, *timers_, LogSink()};
  std::unique_ptr<DeadlockWatch> watch_;
};

TEST_F(Watch, CodeThatKeepsItsTurnIsNamedOnce) {
  task_.mutable_workflow_type()->set_name("loops");
  watch_ = std::make_unique<DeadlockWatch>(courier_, 2s, report_);
  {
    const DeadlockWatch::Turn turn(*watch_, task_, run_);
    auto name = reported_.get_future();
    ASSERT_EQ(name.wait_for(20s), std::future_status::ready);
    EXPECT_EQ(name.get(), "loops");
    EXPECT_TRUE(turn.reported());
    EXPECT_THROW(run_.now(), DeadlockError);
  }
  EXPECT_EQ(reports_, 1);
}

TEST_F(Watch, NobodyLooksWithoutALimit) {
  watch_ = std::make_unique<DeadlockWatch>(courier_, Duration::zero(), report_);
  const DeadlockWatch::Turn turn(*watch_, task_, run_);
  EXPECT_FALSE(turn.reported());
  EXPECT_EQ(reports_, 0);
}

}  // namespace
}  // namespace holdfast::worker
