// A run that takes up another one: what that came to, and is the same in this version, is known here as if
// this run had done it; what it had begun goes on under the keys that it had.

#include <algorithm>
#include <iterator>

#include "activities/activities.h"
#include "holdfast/failure.h"
#include "perform/one_activity.h"
#include "plan/graph.h"

namespace holdfast::flows {

using agent::require;

namespace {

// Runs that were taken up one after the other; what is further back is not looked at.
constexpr std::size_t kMostOrigins = 16;

void add_origin(protocol::FlowTakenUp& out, std::size_t block, const std::string& run) {
  for (protocol::FlowOrigin& one : out.begun) {
    if (one.block == block) return one.runs.push_back(run);
  }
  protocol::FlowOrigin& one = out.begun.emplace_back();
  one.block = static_cast<std::uint32_t>(block);
  one.runs = {run};
}

}  // namespace

// Whether the outcome is one that the old version went on with.
bool FlowActivities::copy_ended(BlockBooks& books, const std::string& from, const Program& before,
                                std::size_t place, std::size_t block, protocol::FlowTakenUp& out) {
  const auto record = books.record_in(from, block);
  if (!record) return false;
  BlockOutcome outcome = books.read(*record);
  if (outcome.failed && !is_handled(before, place)) return false;
  if (outcome.in_parts) copy_parts(books, from, block, PartsSummary::of(outcome.value).parts);
  books.ended(block, outcome);
  protocol::FlowEnded& ended = out.ended.emplace_back();
  ended.block = static_cast<std::uint32_t>(block);
  ended.outlet = outcome.outlet;
  return true;
}

void FlowActivities::copy_parts(BlockBooks& books, const std::string& from, std::size_t block,
                                std::size_t count) {
  PartBooks parts(books.context(), deps_);
  const std::string old_key = books.key_in(from, block);
  const std::string key = books.key(block);
  if (const auto begun = parts.begun(old_key)) parts.begin(key, *begun);
  for (std::uint32_t i = 0; i < count; ++i) {
    books.context().heartbeat();
    books.context().throw_if_cancelled();
    if (parts.find(key, i)) continue;
    auto part = parts.find(old_key, i);
    if (!part) throw ApplicationFailure::non_retryable("a part of a map is gone", "NOT_FOUND");
    parts.write(key, i, parts.adopted(*std::move(part)), {});
  }
}

// One that is gone, and what it knew with it, ends the row.
std::vector<FlowActivities::Origin> FlowActivities::origins_of(std::string from) {
  std::vector<Origin> out;
  while (out.size() < kMostOrigins && !from.empty()) {
    const auto run = deps_.store->run(from);
    if (!run) break;
    out.push_back({from, run->definition_hash});
    const auto next = require(deps_.store->origin(from), "what the run took up");
    from = next ? next->origin : "";
  }
  return out;
}

protocol::FlowTakenUp FlowActivities::take_up(activity::Context& ctx, const protocol::FlowTakeUpInput& in) {
  const ProgramPtr now = program(in.flow, in.version, in.item);
  BlockBooks books(ctx, deps_, *now);
  protocol::FlowTakenUp out;
  std::vector<bool> open(now->blocks.size(), true);  // it may have been begun by the next one
  std::vector<bool> ours(now->blocks.size(), true);  // what it did is this run's to take back
  std::vector<std::vector<protocol::Undoable>> undoable(now->blocks.size());
  const std::vector<std::size_t> order = topological_order(graph_of(now->flow));
  for (const auto& [from, version] : in.item ? origins_of_item(ctx, in.origins) : origins_of(in.origin)) {
    const ProgramPtr before = program(in.flow, version, in.item);
    const auto same = same_blocks(*before, *now);
    for (const std::size_t block : order) {
      ours[block] = ours[block] && same[block];
      const bool had_one = ours[block] && before->blocks[*same[block]].undo;
      if (had_one)
        add_done(books, {*before, *same[block], version}, from, block, undoable[block]);
      else if (ours[block] && now->blocks[block].undo)
        add_done(books, {*now, block, in.version}, from, block, undoable[block]);
      else if (ours[block] && now->blocks[block].body)
        add_items_done(books, {*before, *same[block], version}, {*now, block, in.version}, from,
                       undoable[block]);
      open[block] = open[block] && same[block];
      if (!open[block]) continue;
      ctx.heartbeat();
      if (copy_ended(books, from, *before, *same[block], block, out)) {
        open[block] = false;
        continue;
      }
      const BoundBlock& bound = now->blocks[block];
      if (bound.body || (bound.tool && bound.tool->effect != agent::Effect::kPure))
        add_origin(out, block, from);
    }
  }
  books.flush();
  for (const std::size_t block : order) std::ranges::move(undoable[block], std::back_inserter(out.undoable));
  return out;
}

}  // namespace holdfast::flows
