#include "run/iteration.h"

#include <algorithm>
#include <chrono>

#include "holdfast/failure.h"

namespace holdfast::flows {

namespace {

using namespace protocol;
using std::chrono::milliseconds;

// Several of them take the next part, and the next, until there is none.
struct Lanes {
  Lanes(workflow::Context& context, IterationRun of) : ctx(context), run(std::move(of)) {}

  workflow::Context& ctx;
  IterationRun run;
  std::size_t open = 0;
  bool left = false;
  std::shared_ptr<Outcome<FlowPartResult>> failed;  // the first
  std::optional<CancelScope> scope;

  bool is_over() const { return run.parts->over || failed; }
};

void part_ended(Lanes& lanes, Outcome<FlowPartResult> outcome) {
  if (lanes.is_over()) return;
  if (!outcome.ok()) {
    lanes.failed = std::make_shared<Outcome<FlowPartResult>>(std::move(outcome));
    lanes.scope->cancel("another part failed");
  } else if (outcome.value().over) {
    lanes.run.parts->over = true;
    lanes.scope->cancel("no other part is needed");
  }
}

Task<void> lane(std::shared_ptr<Lanes> lanes) {
  Parts& parts = *lanes->run.parts;
  const bool pauses = lanes->run.each.pause_ms > 0;
  while (parts.next < parts.count && !lanes->is_over() && !lanes->ctx.cancelled()) {
    lanes->left = lanes->left || lanes->run.leaves();
    if (lanes->left) break;
    if (pauses && parts.next > 0) {
      auto left = [lanes] { return lanes->run.is_leaving(); };
      auto pausing = lanes->ctx.wait_for(left, milliseconds(lanes->run.each.pause_ms));
      const Outcome<bool> interrupted = co_await attempt(std::move(pausing));
      lanes->left = interrupted.ok() && interrupted.value();
      if (!interrupted.ok() || lanes->left) break;
    }
    FlowEachInput in = lanes->run.in;
    in.part = parts.next++;
    auto doing = lanes->ctx.activity<FlowPartResult>(kFlowEachPartActivity, lanes->run.options, in);
    Outcome<FlowPartResult> outcome = co_await attempt(std::move(doing));
    part_ended(*lanes, std::move(outcome));
  }
  --lanes->open;
}

}  // namespace

Task<FlowBlocksResult> iterate(workflow::Context& ctx, IterationRun run) {
  Parts& parts = *run.parts;
  if (parts.count == 0) {
    const auto begun = co_await ctx.activity<FlowEachBegun>(kFlowEachBeginActivity, run.options, run.in);
    parts.count = begun.parts;
  }
  auto lanes = std::make_shared<Lanes>(ctx, run);
  lanes->scope = ctx.scope();
  lanes->open = std::min(run.each.parallel, parts.count);
  for (std::size_t i = lanes->open; i > 0; --i) (void)ctx.spawn(*lanes->scope, lane(lanes));
  auto ended = [lanes] { return lanes->open == 0; };
  const Outcome<void> waited = co_await attempt(ctx.wait(ended));
  if (lanes->open > 0) co_await ctx.shielded(ctx.wait(ended));  // what was cancelled still ends
  if (!waited.ok()) waited.error().raise();
  if (lanes->failed) lanes->failed->error().raise();
  if (lanes->left && !parts.over) co_return FlowBlocksResult();
  run.in.parts = parts.next;
  co_return co_await ctx.activity<FlowBlocksResult>(kFlowEachEndActivity, run.options, run.in);
}

}  // namespace holdfast::flows
