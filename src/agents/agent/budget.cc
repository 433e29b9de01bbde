#include "agent/budget.h"

#include <algorithm>
#include <chrono>

#include "protocol/names.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

// The refusal itself: that of a sub-agent is its own matter.
const ApplicationFailure* refusal_in(const Failure& failure) {
  for (const Failure* at = &failure; at != nullptr; at = at->cause().get()) {
    if (dynamic_cast<const ChildWorkflowFailure*>(at) != nullptr) return nullptr;
    const auto* application = dynamic_cast<const ApplicationFailure*>(at);
    if (application != nullptr && application->type() == protocol::kBudgetExceeded) return application;
  }
  return nullptr;
}

}  // namespace

bool is_budget_exceeded(const Failure& failure) {
  return refusal_in(failure) != nullptr;
}

bool waits_for_budget(const Failure& failure) {
  const ApplicationFailure* refusal = refusal_in(failure);
  if (refusal == nullptr || refusal->details().empty()) return false;
  const auto details = from_payload<protocol::Json>(refusal->details().front());
  return details.is_object() && details.value("park", false);
}

protocol::Json BudgetGate::take(const protocol::BudgetNews& news, protocol::Progress& progress) {
  ++raised_;
  if (news.wall_deadline_ms > progress.wall_deadline_ms && progress.wall_deadline_ms > 0)
    progress.wall_deadline_ms = news.wall_deadline_ms;
  return {{"waited", is_waiting()}};
}

std::int64_t first_deadline_ms(const protocol::Progress& progress) {
  if (progress.deadline_ms == 0) return progress.wall_deadline_ms;
  if (progress.wall_deadline_ms == 0) return progress.deadline_ms;
  return std::min(progress.deadline_ms, progress.wall_deadline_ms);
}

Task<void> BudgetGate::time_over(const protocol::Progress& progress) {
  const auto left = [this, &progress] {
    const auto now = std::chrono::duration_cast<milliseconds>(ctx_.now().time_since_epoch());
    return std::max(milliseconds(0), milliseconds(first_deadline_ms(progress)) - now);
  };
  do {
    co_await ctx_.sleep(left(), "limits.run_timeout");
  } while (left() > milliseconds(0));
}

ApplicationFailure time_failure(const protocol::Progress& progress) {
  if (progress.deadline_ms != 0 && progress.deadline_ms <= first_deadline_ms(progress)) {
    return ApplicationFailure::non_retryable("the run took longer than limits.run_timeout",
                                             "RunTimeoutError");
  }
  return ApplicationFailure::non_retryable(
      "BudgetExceeded: the budget `wall_time` is used up. Raise it in time with: holdfast budget RUN "
      "--wall-time",
      protocol::kBudgetExceeded);
}

}  // namespace holdfast::agent
