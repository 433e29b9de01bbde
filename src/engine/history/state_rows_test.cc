// Goal: what is stored of a run is the run, whatever happened to it, and a batch writes of it what changed.
// Method: random transitions, some of them taken back; after each batch the rows are read again and compared
// with what is in memory, with all that is found by it. Rows of builds that had no parts; rows that are none.

#include "history/state_rows.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <utility>

#include "history/child_workflow.h"
#include "history/external.h"
#include "history/history_driver.h"
#include "history/timer.h"
#include "history/update.h"

namespace holdfast::history {
namespace {

using testing::kLimits;
using testing::kNow;

namespace wt = workflow_task;

// What a store has of one run.
class Disk {
 public:
  void write(StateRows rows) {
    state = std::move(rows.state);
    for (PartRow& row : rows.parts) {
      const std::pair name(row.kind, row.n);
      if (row.value) {
        parts[name] = *std::move(row.value);
      } else {
        EXPECT_EQ(parts.erase(name), 1u) << "a row that never was goes";
      }
    }
  }
  // Nothing: it cannot be read.
  std::unique_ptr<MutableState> read() const {
    StateReader reader;
    if (!reader.state(state)) return nullptr;
    for (const auto& [name, value] : parts) {
      if (!reader.part(name.first, name.second, value)) return nullptr;
    }
    return reader.missing() == 0 ? std::make_unique<MutableState>(std::move(reader)) : nullptr;
  }

  std::string state;
  std::map<std::pair<int, std::int64_t>, std::string> parts;
};

std::unique_ptr<MutableState> begun() {
  lifecycle::StartInput input;
  input.namespace_id = "ns";
  input.workflow_id = "w";
  input.run_id = "run-1";
  input.attributes.mutable_workflow_type()->set_name("order");
  input.attributes.mutable_task_queue()->set_name("q");
  auto ms = lifecycle::start(std::move(input), kNow);
  wt::schedule(*ms, kNow);
  return ms;
}

void expect_same(const MutableState& stored, const MutableState& ms) {
  ASSERT_EQ(serialize(stored.whole()), serialize(ms.whole()));
  EXPECT_EQ(stored.next_deadline(), ms.next_deadline());
  EXPECT_EQ(stored.children_to_start(), ms.children_to_start());
  EXPECT_EQ(stored.buffered_bytes(), ms.buffered_bytes());
  EXPECT_EQ(stored.part_rows(), ms.part_rows());
  for (const auto& info : ms.held().activities.infos()) {
    ASSERT_NE(stored.activity_by_id(info.activity_id()), nullptr);
    EXPECT_EQ(stored.activity_by_id(info.activity_id())->scheduled_event_id(), info.scheduled_event_id());
  }
  for (const auto& info : ms.held().timers.infos()) EXPECT_NE(stored.timer_by_id(info.timer_id()), nullptr);
  for (const auto& info : ms.held().updates.infos())
    EXPECT_NE(stored.update_by_id(info.update_id()), nullptr);
  for (const auto& id : ms.held().signal_request_ids.infos()) EXPECT_TRUE(stored.signal_seen(id));
  for (const auto& event : ms.held().buffered_events.infos()) {
    if (!event.has_timer_fired_event_attributes()) continue;
    const auto& timer = event.timer_fired_event_attributes().timer_id();
    EXPECT_EQ(stored.buffered_fire(timer).has_value(), ms.buffered_fire(timer).has_value());
  }
}

// A run to which anything happens, by its seed.
class Fate {
 public:
  explicit Fate(unsigned seed) : dice_(seed), ms_(begun()) {}

  void go(int transitions) {
    for (int i = 0; i < transitions; ++i) {
      transition();
      if (one_in(3)) batch();
      if (::testing::Test::HasFatalFailure()) return;
    }
    batch();
    if (one_in(2)) {
      lifecycle::terminate(*ms_, kNow, "enough", nullptr, "me");
      batch();
      while (const auto* owed = ms_->held().parent_closes.from(0)) {
        lifecycle::child_told(*ms_, owed->initiated_event_id());
        if (one_in(3)) batch();
      }
      batch();
    }
  }

 private:
  bool one_in(int n) { return static_cast<int>(dice_() % static_cast<unsigned>(n)) == 0; }
  std::string text() { return std::string(dice_() % (one_in(20) ? 6000 : 60), 'x'); }
  std::string name(const char* kind) { return kind + std::to_string(next_++); }

  template <typename Info>
  const Info* any(const Entries<Info>& table) {
    if (table.empty()) return nullptr;
    const auto skip = static_cast<std::int64_t>(dice_() % static_cast<unsigned>(table.size()));
    return &*std::next(table.infos().begin(), skip);
  }

  void batch() {
    const auto rows = ms_->take_rows();
    const std::size_t head = serialize(ms_->s()).size();
    EXPECT_LE(rows.state.size(), head + 2 * kInlineBytes);
    disk_.write(rows);
    auto stored = disk_.read();
    ASSERT_NE(stored, nullptr);
    expect_same(*stored, *ms_);
    // As if it had left memory and come back.
    if (one_in(4)) ms_ = std::move(stored);
  }

  void transition() {
    const bool attempt = one_in(4);
    const std::string before = attempt ? serialize(ms_->whole()) : std::string();
    const Deadline deadline = ms_->next_deadline();
    if (attempt) ms_->begin();
    const int steps = one_in(10) ? 40 : 3;
    for (int i = 0; i < steps; ++i) step();
    if (!attempt) return wt::finish_transition(*ms_, kNow);
    if (one_in(2)) {
      ms_->keep();
      return wt::finish_transition(*ms_, kNow);
    }
    ms_->rollback();
    ASSERT_EQ(serialize(ms_->whole()), before);
    EXPECT_EQ(ms_->next_deadline(), deadline);
  }

  void step() {
    switch (dice_() % 12) {
      case 0: return schedule_activity();
      case 1: return change_activity();
      case 2: return timer::start(*ms_, kNow, 4, name("t"), (1 + dice_() % 100) * kSecond);
      case 3: return change_timer();
      case 4: return initiate_child();
      case 5: return change_child();
      case 6: return ask_another();
      case 7: return answer_of_another();
      case 8: return signal();
      case 9: return change_task();
      case 10: return accept_update();
      default: return complete_update();
    }
  }

  void schedule_activity() {
    auto request = testing::command(name("a"));
    if (activity::prepare(&request, ms_->s(), kLimits).empty()) activity::schedule(*ms_, kNow, 4, &request);
  }
  void change_activity() {
    const auto* info = any(ms_->held().activities);
    if (info == nullptr) return;
    const auto state = activity::state_of(*info);
    Payloads details;
    details.add_payloads()->set_data(text());
    if (state == activity::State::kWaiting) return activity::start(*ms_, kNow, info, "w", name("poll"), 1);
    if (one_in(5)) return void(activity::request_cancel(*ms_, kNow, 4, info->scheduled_event_id(), "w"));
    if (state == activity::State::kBackingOff) return;
    if (one_in(3)) return activity::heartbeat(*ms_, kNow, info, &details);
    if (one_in(2)) return activity::fail(*ms_, kLimits, kNow, info, Failure(), "w");
    activity::complete(*ms_, kNow, info, &details, "w");
  }
  void change_timer() {
    if (one_in(5) && !ms_->held().buffered_events.empty()) {
      const auto* event = any(ms_->held().buffered_events);
      if (event->has_timer_fired_event_attributes())
        timer::cancel(*ms_, kNow, 4, std::string(event->timer_fired_event_attributes().timer_id()), "w");
      return;
    }
    const auto* info = any(ms_->held().timers);
    if (info == nullptr) return;
    if (one_in(3)) return void(timer::cancel(*ms_, kNow, 4, std::string(info->timer_id()), "w"));
    timer::fire(*ms_, kNow, info->started_event_id());
  }
  void initiate_child() {
    child_workflow::Command command;
    command.set_workflow_id(name("c"));
    command.mutable_workflow_type()->set_name("child");
    command.set_parent_close_policy(one_in(3) ? enums::PARENT_CLOSE_POLICY_ABANDON
                                              : enums::PARENT_CLOSE_POLICY_TERMINATE);
    child_workflow::initiate(*ms_, kNow, 4, &command, "default", "ns", name("r"));
  }
  void change_child() {
    const auto* info = any(ms_->held().children);
    if (info == nullptr) return;
    const std::int64_t id = info->initiated_event_id();
    if (child_workflow::state_of(*info) == child_workflow::State::kInitiated) {
      if (one_in(4)) {
        child_workflow::start_failed(
            *ms_, kNow, id, enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS);
      } else {
        child_workflow::started(*ms_, kNow, id, name("run"), nullptr);
      }
      return;
    }
    Event closing;
    closing.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
    closing.mutable_workflow_execution_completed_event_attributes();
    child_workflow::closed(*ms_, kNow, id, "run", closing);
  }
  void ask_another() {
    if (one_in(2)) {
      external_signal::Command command;
      command.mutable_execution()->set_workflow_id("other");
      external_signal::initiate(*ms_, kNow, 4, &command, "default", "ns", name("s"));
    } else {
      external_cancel::Command command;
      command.set_workflow_id("other");
      external_cancel::initiate(*ms_, kNow, 4, &command, "default", "ns", name("x"));
    }
  }
  void answer_of_another() {
    Event initiated;
    if (const auto* info = any(ms_->held().external_signals); info != nullptr && one_in(2)) {
      initiated.set_event_id(info->initiated_event_id());
      initiated.mutable_signal_external_workflow_execution_initiated_event_attributes();
      external_signal::done(*ms_, kNow, initiated);
    } else if (const auto* cancel = any(ms_->held().external_cancels)) {
      initiated.set_event_id(cancel->initiated_event_id());
      initiated.mutable_request_cancel_external_workflow_execution_initiated_event_attributes();
      external_cancel::done(*ms_, kNow, initiated);
    }
  }
  void signal() {
    pb::history::v1::WorkflowExecutionSignaledEventAttributes attributes;
    attributes.set_request_id(one_in(4) ? std::string() : name("signal"));
    attributes.mutable_input()->add_payloads()->set_data(text());
    lifecycle::signal(*ms_, kNow, std::move(attributes));
  }
  void change_task() {
    if (!ms_->workflow_task_pending()) return wt::schedule(*ms_, kNow);
    if (!ms_->workflow_task_started()) return wt::start(*ms_, kLimits, kNow, {.identity = "w"});
    if (one_in(4)) {
      wt::fail(*ms_, kNow, {.cause = enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, .identity = "w"});
    } else {
      wt::complete(*ms_, kNow, {.identity = "w"});
    }
  }
  void accept_update() {
    pb::update::v1::Acceptance acceptance;
    const std::string id = name("u");
    acceptance.mutable_accepted_request()->mutable_meta()->set_update_id(id);
    tell(id, acceptance);
  }
  void complete_update() {
    const auto* info = any(ms_->held().updates);
    if (info == nullptr) return;
    pb::update::v1::Response response;
    response.mutable_outcome()->mutable_success()->add_payloads()->set_data(text());
    tell(std::string(info->update_id()), response);
  }
  template <typename Body>
  void tell(const std::string& update_id, const Body& body) {
    pb::protocol::v1::Message message;
    message.set_id("m");
    message.set_protocol_instance_id(update_id);
    message.mutable_body()->PackFrom(body);
    (void)update::apply_message(*ms_, kNow, message);
  }

  std::mt19937 dice_;
  std::unique_ptr<MutableState> ms_;
  Disk disk_;
  int next_ = 0;
};

TEST(StateRows, WhatIsStoredIsWhatIsInMemory) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Fate(seed).go(80);
    if (HasFatalFailure()) return;
  }
}

void hold_timers(MutableState& ms, int count) {
  for (int i = 0; i < count; ++i) timer::start(ms, kNow, 4, "timer-" + std::to_string(i), (i + 1) * kSecond);
}

TEST(StateRows, AChangeWritesItselfWhateverElseThereIs) {
  const auto written = [](int timers) {
    auto ms = begun();
    hold_timers(*ms, timers);
    ms->take_rows();
    lifecycle::signal(*ms, kNow, {});
    timer::fire(*ms, kNow, ms->timer_by_id("timer-900")->started_event_id());
    auto rows = ms->take_rows();
    EXPECT_EQ(rows.parts.size(), 1u);
    return rows.state.size();
  };
  EXPECT_NEAR(static_cast<double>(written(1000)), static_cast<double>(written(10'000)), 16);
}

TEST(StateRows, AFewThingsStandWithTheState) {
  auto ms = begun();
  hold_timers(*ms, 5);
  EXPECT_TRUE(ms->take_rows().parts.empty());
  EXPECT_EQ(ms->part_rows(), 0);
}

TEST(StateRows, AStateOfABuildWithoutPartsIsReadAndTakenApart) {
  auto ms = begun();
  hold_timers(*ms, 500);
  for (int i = 0; i < 500; ++i) {
    pb::history::v1::WorkflowExecutionSignaledEventAttributes attributes;
    attributes.set_request_id("signal-" + std::to_string(i));
    lifecycle::signal(*ms, kNow, std::move(attributes));
  }
  Disk disk;
  disk.state = serialize(ms->whole());
  auto stored = disk.read();
  ASSERT_NE(stored, nullptr);
  expect_same(*stored, MutableState(ms->whole()));
  disk.write(stored->take_rows());
  EXPECT_GT(disk.parts.size(), 500u);
  EXPECT_LT(disk.state.size(), 2 * kInlineBytes);
  auto again = disk.read();
  ASSERT_NE(again, nullptr);
  expect_same(*again, *stored);
  EXPECT_EQ(serialize(again->whole()), serialize(ms->whole()));
  EXPECT_TRUE(again->take_rows().parts.empty());
}

TEST(StateRows, APartThatIsMissingOrAnotherIsSeen) {
  auto ms = begun();
  hold_timers(*ms, 500);
  Disk whole;
  whole.write(ms->take_rows());
  ASSERT_GT(whole.parts.size(), 2u);
  ASSERT_NE(whole.read(), nullptr);
  const auto damaged = [&](const std::function<void(Disk&)>& damage) {
    Disk disk = whole;
    damage(disk);
    return disk.read() == nullptr;
  };
  const auto first = whole.parts.begin()->first;
  EXPECT_TRUE(damaged([&](Disk& disk) { disk.parts.erase(first); }));
  EXPECT_TRUE(damaged([&](Disk& disk) { disk.parts[first] = "\xff\xff"; }));
  EXPECT_TRUE(damaged([&](Disk& disk) { disk.parts[first] = ""; }));
  EXPECT_TRUE(damaged([&](Disk& disk) { disk.parts[first] = disk.parts.rbegin()->second; }));
  EXPECT_TRUE(damaged([&](Disk& disk) {
    stored::StatePart part;
    ASSERT_TRUE(part.ParseFromString(disk.parts[first]));
    part.mutable_timer()->set_started_event_id(1);
    disk.parts[first] = serialize(part);
  }));
  // Two of one number; one that no event has.
  EXPECT_TRUE(damaged([&](Disk& disk) {
    auto state = stored::ExecutionState();
    ASSERT_TRUE(state.ParseFromString(disk.state));
    *state.add_timers() = stored::TimerInfo(state.timers(0));
    disk.state = serialize(state);
  }));
  EXPECT_TRUE(damaged([&](Disk& disk) {
    auto state = stored::ExecutionState();
    ASSERT_TRUE(state.ParseFromString(disk.state));
    state.mutable_timers(0)->set_started_event_id(-5);
    disk.state = serialize(state);
  }));
  // One more than there are; one of a kind that there is not.
  EXPECT_TRUE(damaged([&](Disk& disk) { disk.parts[{first.first, 1 << 20}] = disk.parts[first]; }));
  EXPECT_TRUE(damaged([&](Disk& disk) {
    auto value = disk.parts.extract(first);
    value.key() = {77, first.second};
    disk.parts.insert(std::move(value));
  }));
}

}  // namespace
}  // namespace holdfast::history
