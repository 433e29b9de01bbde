#include "runs/run_approvals.h"

#include <fmt/format.h>

#include <vector>

namespace holdfast::runs {

void expire_approvals(platform::Store& store, const std::string& run,
                      const std::function<void(std::string_view)>& log) {
  platform::ApprovalFilter filter;
  filter.status = platform::ApprovalStatus::kPending;
  filter.run = run;
  filter.limit = platform::kMaxPage;
  while (true) {
    auto pending = store.approvals(filter);
    if (!pending) {
      return log(fmt::format("the approvals of run {} cannot be read: {}", run, pending.error().message()));
    }
    for (const platform::Approval& asked : *pending) {
      platform::Approval outcome;
      outcome.id = asked.id;
      outcome.status = platform::ApprovalStatus::kExpired;
      outcome.comment = "the run is over";
      const auto settled = store.settle_approval(outcome);
      // Somebody was faster.
      if (!settled && settled.error().code() != Code::kFailedPrecondition) {
        return log(fmt::format("approval {} of a run that is over stays pending: {}", asked.id,
                               settled.error().message()));
      }
    }
    if (pending->size() < filter.limit) return;
  }
}

}  // namespace holdfast::runs
