#include "run/iteration.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "agent/failures.h"
#include "holdfast/failure.h"
#include "protocol/names.h"

namespace holdfast::flows {

namespace {

using namespace protocol;
using agent::root_of, agent::type_of;
using std::chrono::milliseconds;

// Of the runs of items: a new history takes them along, in one message.
constexpr std::size_t kMaxItemsUndoable = 2000;

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

void skip_known(Parts& parts) {
  while (!parts.known.empty() && parts.known.front().first <= parts.next) {
    const FlowStretch& first = parts.known.front();
    parts.next = std::max(parts.next, first.first + first.count);
    parts.known.erase(parts.known.begin());
  }
}

// It is recorded, however it ended.
Task<FlowPartResult> part_as_run(std::shared_ptr<Lanes> lanes, FlowEachInput in) {
  auto running = lanes->run.run_item(in.part);
  in.done = co_await std::move(running);
  auto recording = lanes->ctx.activity<FlowPartResult>(kFlowEachPartActivity, lanes->run.options, in);
  co_return co_await std::move(recording);
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
    skip_known(parts);
    auto doing = lanes->run.each.runs
                     ? part_as_run(lanes, in)
                     : lanes->ctx.activity<FlowPartResult>(kFlowEachPartActivity, lanes->run.options, in);
    Outcome<FlowPartResult> outcome = co_await attempt(std::move(doing));
    if (outcome.ok() && !outcome.value().failed.empty()) {
      auto undoing = lanes->run.take_back(outcome.value().failed);
      co_await lanes->ctx.shielded(std::move(undoing));
    }
    part_ended(*lanes, std::move(outcome));
  }
  --lanes->open;
}

}  // namespace

Parts parts_of(const FlowOpen& open) {
  Parts out;
  out.count = open.parts;
  out.next = open.next;
  out.items = open.items;
  out.each = open.each;
  out.call = open.call;
  out.known = open.known;
  return out;
}

FlowOpen left_open(std::uint32_t step, const Parts& parts) {
  FlowOpen out;
  out.step = step;
  out.parts = parts.count;
  out.next = parts.next;
  out.items = parts.items;
  out.each = parts.each;
  out.call = parts.call;
  out.known = parts.known;
  return out;
}

Task<FlowBlocksResult> iterate(workflow::Context& ctx, IterationRun run) {
  Parts& parts = *run.parts;
  if (parts.count == 0) {
    const auto begun = co_await ctx.activity<FlowEachBegun>(kFlowEachBeginActivity, run.options, run.in);
    parts.count = begun.parts;
    parts.call = begun.call;
    parts.known = begun.known;
    parts.items = begun.items;
    parts.each = begun.each;
    skip_known(parts);
    parts.over = begun.over;
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

Task<FlowItemEnd> run_item(workflow::Context* ctx, FlowInput input, std::vector<Undoable>* undoable) {
  FlowItemEnd out;
  out.key = input.caller->call.key;
  out.run = run_of_item(input.item->run, input.item->of, input.item->index);
  auto options = ChildOptions()
                     .workflow_id(out.run)
                     .task_queue(kAgentQueue)
                     .parent_close(ParentClosePolicy::kRequestCancel);
  auto running = ctx->child<FlowResult>(kFlowWorkflowType, options, input);
  Outcome<FlowResult> ended = co_await attempt(std::move(running));
  if (!ended.ok()) {
    if (ctx->cancelled()) ended.error().raise();
    out.error_type = type_of(ended.error());
    out.error = root_of(ended.error()).message();
    if (out.error_type.empty()) out.error_type = "Failed";
    co_return out;
  }
  const std::vector<Undoable>& more = ended.value().undoable;
  undoable->insert(undoable->end(), more.begin(), more.end());
  if (undoable->size() > kMaxItemsUndoable) {
    throw ApplicationFailure::non_retryable(
        fmt::format("more than {} calls could be taken back, which is the most that a run answers for; go "
                    "over fewer items in one run",
                    kMaxItemsUndoable),
        "UndoLimit");
  }
  co_return out;
}

}  // namespace holdfast::flows
