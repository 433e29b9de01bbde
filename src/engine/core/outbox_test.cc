// Goal: everything an execution owes is sent, once, nothing else, in the order in which it came to be owed;
// executions take turns. Method: states that owe something, and what the outbox makes of them.

#include "engine/outbox.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::engine {
namespace {

const RunKey kRun{"n", "w", "r"};

std::string name_of(const OutboxMessage& message) {
  static constexpr const char* kNames[] = {"start", "signal", "cancel", "closed", "parent-close"};
  return kNames[static_cast<int>(message.kind)] + std::string(" ") +
         std::to_string(message.initiated_event_id);
}

std::vector<std::string> drained(Outbox& outbox, const stored::ExecutionState& state) {
  std::vector<std::string> out;
  while (!outbox.empty()) {
    const auto message = outbox.take(MutableState(state));
    if (!message) continue;
    EXPECT_EQ(message->from, kRun);
    out.push_back(name_of(*message));
  }
  return out;
}

stored::ExecutionState running() {
  stored::ExecutionState state;
  state.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  return state;
}

void add_pending_child(stored::ExecutionState& state, std::int64_t id) {
  auto& pending = *state.add_children();
  pending.set_initiated_event_id(id);
  pending.set_start_pending(true);
}

TEST(OutboxTest, OwesNothingAtFirst) {
  Outbox outbox;
  EXPECT_TRUE(outbox.empty());
  outbox.add(kRun);
  EXPECT_FALSE(outbox.empty());
  EXPECT_TRUE(drained(outbox, running()).empty());
}

TEST(OutboxTest, SendsStartsSignalsAndCancels) {
  stored::ExecutionState state = running();
  add_pending_child(state, 5);
  state.add_children()->set_initiated_event_id(6);  // started already
  state.add_external_signals()->set_initiated_event_id(7);
  state.add_external_cancels()->set_initiated_event_id(8);
  Outbox outbox;
  outbox.add(kRun);
  EXPECT_EQ(drained(outbox, state), (std::vector<std::string>{"start 5", "signal 7", "cancel 8"}));
}

TEST(OutboxTest, WhatWasSentIsNotSentAgainBecauseThereIsMore) {
  stored::ExecutionState state = running();
  for (const std::int64_t id : {5, 6, 7}) add_pending_child(state, id);
  Outbox outbox;
  outbox.add(kRun, 5);
  EXPECT_EQ(name_of(*outbox.take(MutableState(state))), "start 5");
  EXPECT_EQ(name_of(*outbox.take(MutableState(state))), "start 6");
  state.add_external_signals()->set_initiated_event_id(9);
  outbox.add(kRun, 9);
  EXPECT_EQ(drained(outbox, state), (std::vector<std::string>{"start 7", "signal 9"}));
  outbox.add(kRun);
  EXPECT_EQ(drained(outbox, state).size(), 4u) << "but after a crash all of it is";
}

TEST(OutboxTest, ExecutionsTakeTurns) {
  const RunKey other{"n", "w", "other"};
  stored::ExecutionState state = running();
  for (const std::int64_t id : {5, 6}) add_pending_child(state, id);
  Outbox outbox;
  outbox.add(kRun);
  outbox.add(other);
  std::vector<std::string> runs;
  for (int i = 0; i < 4; ++i) {
    runs.push_back(outbox.next().run_id);
    EXPECT_TRUE(outbox.take(MutableState(state)).has_value());
  }
  EXPECT_EQ(runs, (std::vector<std::string>{"r", "other", "r", "other"}));
  outbox.drop();
  outbox.drop();
  EXPECT_TRUE(outbox.empty());
}

TEST(OutboxTest, TellsOfTheEndOnlyWhenItHasCome) {
  stored::ExecutionState state = running();
  state.mutable_close_outbox()->set_notify_parent(true);
  auto& child = *state.mutable_close_outbox()->add_children();
  child.set_initiated_event_id(9);
  child.set_workflow_id("child");
  Outbox outbox;
  outbox.add(kRun);
  EXPECT_TRUE(drained(outbox, state).empty());
  state.set_status(enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  outbox.add(kRun);
  EXPECT_EQ(drained(outbox, state), (std::vector<std::string>{"closed 0", "parent-close 9"}));
  outbox.add(kRun);
  outbox.take(MutableState(state));
  EXPECT_EQ(outbox.take(MutableState(state))->child.workflow_id(), "child");
}

}  // namespace
}  // namespace holdfast::engine
