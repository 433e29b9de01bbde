// Goal: an agent runs when its schedule says, once for each time, whatever the server does meanwhile. Method:
// schedules on a clock that the test moves on.

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/iso_time.h"
#include "harness.h"
#include "protocol/schedule.h"

namespace holdfast::e2e {
namespace {

using ::testing::EndsWith;
using ::testing::SizeIs;
using ::testing::StartsWith;

using protocol::Overlap;
using protocol::ScheduleState;

constexpr const char* kScript = R"(
replies:
  - when: {last: "^hang"}
    text: never
    faults: [{hang_after: 0}]
  - text: done
)";
constexpr auto kHour = std::chrono::hours(1);

class Scheduled {
 public:
  Scheduled(Platform& platform, const std::string& input, Overlap overlap = Overlap::kSkip,
            std::chrono::milliseconds catch_up = std::chrono::hours(2))
      : p_(platform) {
    protocol::ScheduleInput in;
    in.spec.name = p_.run_id("hourly");
    in.spec.agent = "clerk";
    in.spec.input = input;
    in.spec.cron = "0 * * * *";
    in.spec.time_zone = "Asia/Kolkata";
    in.spec.overlap = overlap;
    in.spec.catch_up_ms = catch_up.count();
    auto started = p_.client().start(
        protocol::kScheduleType, StartOptions(protocol::kScheduleIds + in.spec.name, agent::kAgentQueue), in);
    EXPECT_TRUE(started.has_value()) << started.error().to_string();
    workflow_.emplace(std::move(*started));
    EXPECT_TRUE(eventually([&] { return state().considered_ms > 0; }));
  }
  ScheduleState state() const {
    auto state = workflow_->query<ScheduleState>(protocol::kScheduleQuery);
    return state ? *state : ScheduleState();
  }
  bool reaches(std::int64_t started, std::int64_t skipped) const {
    return eventually([&] {
      const ScheduleState now = state();
      return now.started == started && now.skipped == skipped;
    });
  }
  std::vector<std::string> runs() const {
    std::vector<std::string> out;
    const auto page = p_.store().runs({});
    for (const platform::RunRecord& run : *page) out.push_back(run.run);
    return out;
  }
  const WorkflowHandle& workflow() const { return *workflow_; }

 private:
  Platform& p_;
  std::optional<WorkflowHandle> workflow_;
};

TEST(Schedule, EachTimeIsOneRunAlsoWhenTheWorkersAreReplaced) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(kScript);
  p.deploy("clerk");
  Scheduled schedule(p, "report");
  ASSERT_TRUE(sleeps(schedule.workflow()));
  p.skip(kHour);
  ASSERT_TRUE(schedule.reaches(1, 0));
  // In Kolkata the hour is full when it is half past here.
  ASSERT_THAT(schedule.runs(), SizeIs(1));
  EXPECT_THAT(schedule.runs().front(), StartsWith(p.run_id("hourly") + "@"));
  EXPECT_THAT(schedule.runs().front(), EndsWith(":30:00.000Z"));
  EXPECT_EQ(p.finish(p.client().workflow(schedule.runs().front())).output, "done");
  p.stop_workers();
  p.start_workers();
  ASSERT_TRUE(sleeps(schedule.workflow()));
  p.skip(kHour);
  ASSERT_TRUE(schedule.reaches(2, 0));
  EXPECT_THAT(schedule.runs(), SizeIs(2));
  ASSERT_TRUE(schedule.workflow().terminate("deleted").ok());
}

TEST(Schedule, WhatWasDueTooLongAgoIsNotMadeUpFor) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(kScript);
  p.deploy("clerk");
  Scheduled schedule(p, "report", Overlap::kSkip, std::chrono::minutes(10));
  const WallTime begun{std::chrono::milliseconds(schedule.state().considered_ms)};
  p.stop_workers();
  p.skip(kHour * 24);
  p.start_workers();
  ASSERT_TRUE(eventually([&] {
    p.skip(std::chrono::minutes(5));
    return schedule.state().started > 0;
  }));
  const std::string earliest = p.run_id("hourly") + "@" + iso_time(begun + kHour * 23);
  for (const std::string& run : schedule.runs()) EXPECT_GT(run, earliest);
  ASSERT_TRUE(schedule.workflow().terminate("deleted").ok());
}

TEST(Schedule, ARunThatIsDueWhileTheOneBeforeIsOpenIsSkipped) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(kScript);
  p.deploy("clerk");
  Scheduled schedule(p, "hang");
  ASSERT_TRUE(sleeps(schedule.workflow()));
  p.skip(kHour);
  ASSERT_TRUE(schedule.reaches(1, 0));
  ASSERT_TRUE(sleeps(schedule.workflow()));
  p.skip(kHour);
  ASSERT_TRUE(schedule.reaches(1, 1));
  // Who asks for one gets one.
  ASSERT_TRUE(schedule.workflow().signal(protocol::kScheduleTrigger).ok());
  ASSERT_TRUE(schedule.reaches(2, 1));
  EXPECT_THAT(schedule.state().last_run, EndsWith("Z-now"));
  ASSERT_TRUE(schedule.workflow().terminate("deleted").ok());
}

TEST(Schedule, OneIsKeptForTheEndOfTheOneBefore) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(kScript);
  p.deploy("clerk");
  Scheduled schedule(p, "hang", Overlap::kBufferOne);
  ASSERT_TRUE(sleeps(schedule.workflow()));
  p.skip(kHour);
  ASSERT_TRUE(schedule.reaches(1, 0));
  const std::string first = schedule.state().last_run;
  ASSERT_TRUE(sleeps(schedule.workflow()));
  p.skip(kHour);
  ASSERT_TRUE(p.client().workflow(first).terminate("test").ok());
  ASSERT_TRUE(schedule.reaches(2, 0));
  EXPECT_NE(schedule.state().last_run, first);
  ASSERT_TRUE(schedule.workflow().terminate("deleted").ok());
}

TEST(Schedule, APausedOneStartsNothing) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(kScript);
  p.deploy("clerk");
  Scheduled schedule(p, "report");
  protocol::PauseInput pause;
  pause.note = "month's end";
  ASSERT_TRUE(schedule.workflow().signal(protocol::kSchedulePause, pause).ok());
  ASSERT_TRUE(eventually([&] { return schedule.state().paused; }));
  EXPECT_EQ(schedule.state().note, "month's end");
  p.skip(kHour * 2);
  ASSERT_TRUE(schedule.workflow().signal(protocol::kScheduleResume).ok());
  ASSERT_TRUE(eventually([&] { return !schedule.state().paused; }));
  EXPECT_EQ(schedule.state().started, 0);
  ASSERT_TRUE(sleeps(schedule.workflow()));
  p.skip(kHour);
  ASSERT_TRUE(schedule.reaches(1, 0));
  ASSERT_TRUE(schedule.workflow().terminate("deleted").ok());
}

TEST(Schedule, WhatWasDueInAPauseThatNoWorkerSawIsNotMadeUpFor) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(kScript);
  p.deploy("clerk");
  Scheduled schedule(p, "report");
  ASSERT_TRUE(sleeps(schedule.workflow()));
  const std::int64_t considered = schedule.state().considered_ms;
  p.stop_workers();
  ASSERT_TRUE(schedule.workflow().signal(protocol::kSchedulePause, protocol::PauseInput()).ok());
  p.skip(std::chrono::minutes(90));
  ASSERT_TRUE(schedule.workflow().signal(protocol::kScheduleResume).ok());
  p.start_workers();
  ASSERT_TRUE(eventually([&] { return schedule.state().considered_ms > considered; }));
  ASSERT_TRUE(sleeps(schedule.workflow()));
  EXPECT_EQ(schedule.state().started, 0);
  p.skip(kHour);
  ASSERT_TRUE(schedule.reaches(1, 0));
  ASSERT_TRUE(schedule.workflow().terminate("deleted").ok());
}

}  // namespace
}  // namespace holdfast::e2e
