#pragma once

// Budgets, as the workflow meets them: an activity was refused because one is used up. Whether it waits then
// stands in the refusal, and raising the budget is an update that ends the waiting; a wall time is a timer
// whose end may move. Deterministic workflow code; one per run, owned by its Loop.

#include <cstdint>
#include <functional>

#include "holdfast/workflow.h"
#include "protocol/activities.h"
#include "protocol/run.h"

namespace holdfast::agent {

// Refused, and the owner of the budget wants it to wait.
bool waits_for_budget(const Failure& failure);
// Refused for good.
bool is_budget_exceeded(const Failure& failure);

class BudgetGate {
 public:
  explicit BudgetGate(workflow::Context& ctx) : ctx_(ctx) {}

  // A budget was raised: who waits looks again. What the update answers.
  protocol::Json take(const protocol::BudgetNews& news, protocol::Progress& progress);

  // Makes the call, again each time that a budget was raised which it was refused by.
  template <typename T>
  Task<T> within(std::function<Task<T>()> call) {
    while (true) {
      const std::uint64_t seen = raised_;
      Outcome<T> outcome = co_await attempt(call());
      if (outcome.ok()) co_return std::move(outcome).value();
      if (!waits_for_budget(outcome.error())) outcome.error().raise();
      ++waiting_;
      auto raised = [this, seen] { return raised_ != seen; };
      co_await ctx_.wait(raised);
      --waiting_;
    }
  }
  bool is_waiting() const { return waiting_ > 0; }

  // Returns when both the run's time limit and its wall time are over that come first.
  Task<void> time_over(const protocol::Progress& progress);

 private:
  workflow::Context& ctx_;
  std::uint64_t raised_ = 0;
  int waiting_ = 0;
};

// The first of the ends that the run has; 0: it has none.
std::int64_t first_deadline_ms(const protocol::Progress& progress);
// What a run fails with whose time is over.
ApplicationFailure time_failure(const protocol::Progress& progress);

}  // namespace holdfast::agent
