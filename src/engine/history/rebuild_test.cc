// Goal: the history is the state. What an event says is in the state because of that event alone, and what no
// event says is in VolatileState. Every other test of this room checks the law at each step
// (history_driver.h); here it is the edges: what a rebuilt state may be used for, and histories that are
// none.

#include <gmock/gmock.h>

#include "history/apply.h"
#include "history/history_driver.h"
#include "history/timer.h"

namespace holdfast::history {
namespace {

using testing::command;
using ::testing::HasSubstr;
using testing::kLimits;
using testing::kNow;
using testing::resting;
using testing::scheduled;
using testing::started;

namespace wt = workflow_task;

// An event of another engine's: nobody here can make one.
static_assert(apply_of(enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED) == nullptr);
static_assert(apply_of(enums::EVENT_TYPE_UNSPECIFIED) == nullptr);

TEST(Rebuild, GivesARunThatGoesOn) {
  auto ms = resting();
  scheduled(ms, command("a"));
  timer::start(*ms, kNow, 4, "t", kSecond);
  lifecycle::signal(*ms, kNow, {});
  const auto state = rebuild(facts_of(ms->s()), ms->unsaved());
  ASSERT_TRUE(state.has_value()) << state.error().to_string();
  MutableState again(*state);
  EXPECT_EQ(again.next_deadline(), ms->next_deadline());
  ASSERT_NE(again.activity_by_id("a"), nullptr);
  EXPECT_TRUE(activity::startable(*again.activity_by_id("a"), 1));
  EXPECT_EQ(wt::state_of(again), wt::State::kScheduled);
}

// What is volatile is all that may differ between a state and its history: a second run of the same events,
// with other attempts, heartbeats and holders in between, rebuilds to the same.
TEST(Rebuild, ForgetsWhatNoEventSays) {
  const auto run = [](bool eventful) {
    auto ms = resting();
    const auto* info = scheduled(ms, command("a"));
    if (eventful) {
      activity::start(*ms, kNow, info, "somebody", "poll-1", 7);
      Payloads details;
      details.add_payloads()->set_data("half way");
      activity::heartbeat(*ms, kNow, info, &details);
      activity::fail(*ms, kLimits, kNow, info, Failure(), "somebody");
      wt::set_sticky(*ms, "sticky", kSecond);
    }
    return std::pair(serialize(*rebuild(facts_of(ms->s()), ms->unsaved())), serialize(ms->whole()));
  };
  const auto quiet = run(false);
  const auto eventful = run(true);
  EXPECT_EQ(quiet.first, eventful.first);
  EXPECT_NE(quiet.second, eventful.second);
}

TEST(Rebuild, BufferedEventsCountAlthoughTheyHaveNoPlace) {
  auto ms = resting();
  timer::start(*ms, kNow, 4, "t", kSecond);
  const std::int64_t id = ms->timer_by_id("t")->started_event_id();
  lifecycle::signal(*ms, kNow, {});
  wt::start(*ms, kLimits, kNow, {});
  timer::fire(*ms, kNow + kSecond, id);
  EXPECT_EQ(ms->held().timers.size(), 0);
  Rebuild rebuild(facts_of(ms->s()));
  for (const Event& event : ms->unsaved().events()) ASSERT_TRUE(rebuild.add(event).ok());
  EXPECT_EQ(rebuild.whole().timers_size(), 1);  // not in the history yet
  EXPECT_EQ(rebuild.difference(ms->whole()), "");
}

TEST(Rebuild, TellsWhatDiffers) {
  auto ms = resting();
  timer::start(*ms, kNow, 4, "t", kSecond);
  Rebuild rebuild(facts_of(ms->s()));
  for (const Event& event : ms->unsaved().events()) ASSERT_TRUE(rebuild.add(event).ok());
  stored::ExecutionState other = ms->whole();
  other.mutable_timers(0)->set_fire_ns(1);
  EXPECT_THAT(rebuild.difference(other), HasSubstr("timers[0].fire_ns"));
  other.clear_timers();
  EXPECT_THAT(rebuild.difference(other), HasSubstr("timers[0]"));
}

std::string problem(const pb::history::v1::History& history) {
  const auto state = rebuild(stored::StartFacts(), history);
  return state.has_value() ? std::string() : state.error().message();
}

TEST(Rebuild, HistoriesThatAreNone) {
  auto ms = resting();
  const pb::history::v1::History whole = ms->unsaved();
  EXPECT_EQ(problem(whole), "");

  auto gap = whole;
  gap.mutable_events()->DeleteSubrange(1, 1);
  EXPECT_EQ(problem(gap), "event 3 (EVENT_TYPE_WORKFLOW_TASK_STARTED) is not the next one, which is 2");

  auto headless = whole;
  headless.mutable_events(0)->set_event_type(enums::EVENT_TYPE_TIMER_FIRED);
  EXPECT_THAT(problem(headless), HasSubstr("a history begins with its start"));

  auto unknown = whole;
  unknown.mutable_events(3)->set_event_type(enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED);
  EXPECT_EQ(problem(unknown),
            "event 4 (EVENT_TYPE_NEXUS_OPERATION_SCHEDULED) is of a type that this engine does not write");

  lifecycle::terminate(*ms, kNow, "enough", nullptr, "me");
  auto endless = ms->unsaved();
  *endless.add_events() = whole.events(1);
  endless.mutable_events()->rbegin()->set_event_id(endless.events_size());
  EXPECT_THAT(problem(endless), HasSubstr("comes after the end of its run"));
}

// Events that speak of what is not there are no reason to fall over.
TEST(Rebuild, EventsAboutNothing) {
  auto ms = resting();
  for (const auto& row : kEventTypes) {
    if (row.type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED) continue;
    pb::history::v1::History history = ms->unsaved();
    Event& event = *history.add_events();
    event.set_event_id(history.events_size());
    event.set_event_type(row.type);
    EXPECT_EQ(problem(history), "") << enums::EventType_Name(row.type);
  }
}

}  // namespace
}  // namespace holdfast::history
