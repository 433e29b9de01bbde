#include "agent/notify.h"

#include <fmt/format.h>

#include "agent/bookkeeping.h"
#include "agent/loop.h"
#include "protocol/names.h"

namespace holdfast::agent {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr hours kTellFor{72};

Task<void> tell(workflow::Context* ctx, NotifyInput input) {
  auto options = ActivityOptions()
                     .task_queue(kToolQueue)
                     .start_to_close(seconds(60))
                     .schedule_to_close(kTellFor)
                     .heartbeat(seconds(10))
                     .retry(RetryPolicy().initial(seconds(2)).backoff(2.0).maximum(hours(1)));
  co_await ctx->activity<void>(kNotifyActivity, options, input);
}

}  // namespace

Task<void> notify_workflow(workflow::Context& ctx, NotifyInput input) {
  const auto targets = co_await ctx.activity<NotifyTargets>(kNotifyTargetsActivity, bookkeeping(), input);
  std::vector<Task<Outcome<void>>> telling;
  for (std::uint32_t i = 0; i < targets.count; ++i) {
    input.target = i;
    telling.push_back(attempt(tell(&ctx, input)));
  }
  auto all_told = all(std::move(telling));
  const std::vector<Outcome<void>> told = co_await std::move(all_told);
  for (const Outcome<void>& one : told) {
    if (!one.ok()) one.error().raise();
  }
}

// ---- in the run

bool Loop::notifies(NotifyEvent event) const {
  return (progress_.plan.notifies & static_cast<std::uint32_t>(event)) != 0;
}

// Returns when the telling has begun, which is at once; that it cannot begin is no reason for the run to
// fail.
Task<void> Loop::notify(NotifyEvent event, std::string what, Json data) {
  NotifyInput in;
  in.run = ctx_.info().workflow_id;
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  in.settings = progress_.plan.settings;
  in.event = event;
  in.id = fmt::format("{}/{}/{}", in.run, ctx_.info().run_id, what);
  in.data = std::move(data);
  auto options =
      ChildOptions()
          .workflow_id(fmt::format("{}.notify.{}.{}", in.run, ctx_.info().run_id.substr(0, 8), what))
          .task_queue(kAgentQueue)
          .parent_close(ParentClosePolicy::kAbandon)
          .cancellation(ChildCancellation::kAbandon);
  auto starting = attempt(ctx_.start_child<void>(kNotifyWorkflowType, options, in));
  (void)co_await std::move(starting);
}

}  // namespace holdfast::agent
