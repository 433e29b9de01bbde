// Goal: everything an execution owes is sent, nothing else, in the order in which it came to be owed. Method:
// states that owe something, and what the outbox makes of them.

#include "engine/outbox.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::engine {
namespace {

const RunKey kRun{"n", "w", "r"};

std::vector<std::string> drained(Outbox& outbox) {
  static constexpr const char* kNames[] = {"start", "signal", "cancel", "closed", "parent-close"};
  std::vector<std::string> out;
  while (const auto message = outbox.take()) {
    EXPECT_EQ(message->from, kRun);
    out.push_back(kNames[static_cast<int>(message->kind)] + std::string(" ") +
                  std::to_string(message->initiated_event_id));
  }
  return out;
}

stored::ExecutionState running() {
  stored::ExecutionState state;
  state.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  return state;
}

TEST(OutboxTest, OwesNothingAtFirst) {
  Outbox outbox;
  outbox.put_all_of(kRun, running());
  EXPECT_FALSE(outbox.take().has_value());
}

TEST(OutboxTest, SendsStartsSignalsAndCancels) {
  stored::ExecutionState state = running();
  auto& pending = *state.add_children();
  pending.set_initiated_event_id(5);
  pending.set_start_pending(true);
  state.add_children()->set_initiated_event_id(6);  // started already
  state.add_external_signals()->set_initiated_event_id(7);
  state.add_external_cancels()->set_initiated_event_id(8);
  Outbox outbox;
  outbox.put_all_of(kRun, state);
  EXPECT_EQ(drained(outbox), (std::vector<std::string>{"start 5", "signal 7", "cancel 8"}));
}

TEST(OutboxTest, TellsOfTheEndOnlyWhenItHasCome) {
  stored::ExecutionState state = running();
  state.mutable_close_outbox()->set_notify_parent(true);
  auto& child = *state.mutable_close_outbox()->add_children();
  child.set_initiated_event_id(9);
  child.set_workflow_id("child");
  Outbox outbox;
  outbox.put_all_of(kRun, state);
  EXPECT_TRUE(drained(outbox).empty());
  state.set_status(enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  outbox.put_all_of(kRun, state);
  EXPECT_EQ(drained(outbox), (std::vector<std::string>{"closed 0", "parent-close 9"}));
  outbox.put_all_of(kRun, state);
  outbox.take();
  EXPECT_EQ(outbox.take()->child.workflow_id(), "child");
}

}  // namespace
}  // namespace holdfast::engine
