// Runs, and what they may spend: a budget is raised in the store, and the workflows that wait for it are
// told.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "protocol/names.h"
#include "protocol/run.h"
#include "runs/runs_impl.h"

namespace holdfast::runs {

namespace {

std::int64_t ms_of(const std::optional<WallTime>& time) {
  if (!time) return 0;
  return std::chrono::duration_cast<std::chrono::milliseconds>(time->time_since_epoch()).count();
}

}  // namespace

Result<platform::Account> Runs::raise_budget(const platform::Raise& wanted) {
  auto run = find(wanted.run);
  if (!run) return fail(run.error());
  const RunStatus status = impl_->standing_of(*run).status;
  if (is_closed(status)) {
    return fail(with_fault(Code::kFailedPrecondition, RunFault::kRunClosed,
                           fmt::format("run '{}' is over: {}", wanted.run, to_string(status))));
  }
  auto raised = impl_->store().raise_budget(wanted);
  if (!raised &&
      (raised.error().code() == Code::kInvalidArgument || raised.error().code() == Code::kNotFound)) {
    const std::string why = raised.error().code() == Code::kNotFound
                                ? fmt::format("run '{}' has no budgets", wanted.run)
                                : raised.error().message();
    return fail(with_fault(Code::kInvalidArgument, RunFault::kBudgetNotRaised, why));
  }
  if (!raised) return fail(raised.error());
  protocol::BudgetNews news;
  news.run = wanted.run;
  if (wanted.wall_time) news.wall_deadline_ms = ms_of(raised->account.limits.deadline);
  std::vector<std::string> told = raised->waiting;
  if (std::ranges::find(told, wanted.run) == told.end()) told.push_back(wanted.run);
  for (const std::string& one : told) {
    auto update = impl_->client.workflow(one).start_update(
        protocol::kBudgetUpdate, UpdateOptions().wait_for(UpdateStage::kAccepted), news);
    // It is raised whatever comes of this; who waits has to hear of it, so the caller is told to ask again.
    if (update || update.error().code() == Code::kNotFound) continue;
    return fail(Status(update.error().code(),
                       fmt::format("the budget is raised, but run '{}' could not be told: {}; ask again", one,
                                   update.error().message())));
  }
  return std::move(raised->account);
}

}  // namespace holdfast::runs
