// Which calls of a run can be taken back: known by key before they are made, so that whoever takes them back
// asks the ledger and nobody else.

#include <algorithm>
#include <utility>

#include "activities/activities.h"
#include "activities/effect_hooks.h"
#include "agent/undoable.h"
#include "block/compensation.h"
#include "block/iteration.h"
#include "perform/one_activity.h"
#include "perform/parts.h"

namespace holdfast::flows {

using agent::require;

protocol::Undoable FlowActivities::undoable_in(BlockBooks& books, const Compensated& by, std::string_view run,
                                               std::size_t block) {
  protocol::CallRef call = books.call(block);
  call.key = books.key_in(run, block);
  return agent::undoable_of(protocol::agent_of_flow(by.program.flow.name), by.version, call,
                            agent::attempts_of(*by.program.blocks[by.block].undo));
}

// Of a map or loop: one for all its items, however many.
protocol::Undoable FlowActivities::undoable_items(BlockBooks& books, const Compensated& by,
                                                  const std::string& run, std::size_t block,
                                                  std::vector<std::string> blocks) {
  protocol::Undoable out;
  out.agent = protocol::agent_of_flow(by.program.flow.name);
  out.version = by.version;
  out.call = books.call(block);
  out.call.key = books.key_in(run, block);
  protocol::UndoableItems& items = out.items.emplace();
  items.run = run;
  items.of = out.call.tool;
  items.blocks = std::move(blocks);
  items.are_runs = has_steps(by.program.blocks[by.block].body->flow);
  return out;
}

void FlowActivities::add_undoable(activity::Context& ctx, const Program& program, protocol::FlowPlan& plan) {
  BlockBooks books(ctx, deps_, program);
  const std::string& run = ctx.info().workflow_id;
  for (protocol::FlowStep& step : plan.steps) {
    for (const std::uint32_t block : step.blocks) {
      const BoundBlock& bound = program.blocks[block];
      const Compensated by{program, block, plan.version};
      if (bound.undo) step.undoable.push_back(undoable_in(books, by, run, block));
      if (!bound.body) continue;
      if (auto blocks = compensated_in(*bound.body); !blocks.empty())
        step.undoable.push_back(undoable_items(books, by, run, block, std::move(blocks)));
    }
  }
}

// Of a run that is taken up; those before it come first.
void FlowActivities::add_done(BlockBooks& books, const Compensated& by, const std::string& run,
                              std::size_t block, std::vector<protocol::Undoable>& out) {
  const auto effect = require(deps_.store->lookup_effect(books.key_in(run, block)), "looking up a call");
  if (!effect || (effect->state == platform::EffectState::kSettled && !effect->succeeded)) return;
  out.insert(out.begin(), undoable_in(books, by, run, block));
}

// The same of a map or loop: as its version there said, and as this one says of blocks of which that said
// nothing.
void FlowActivities::add_items_done(BlockBooks& books, const Compensated& before, const Compensated& now,
                                    const std::string& run, std::vector<protocol::Undoable>& out) {
  std::vector<std::string> was = compensated_in(*before.program.blocks[before.block].body);
  std::vector<std::string> is = compensated_in(*now.program.blocks[now.block].body);
  std::erase_if(is, [&](const std::string& id) { return std::ranges::find(was, id) != was.end(); });
  for (const auto& [by, blocks] : {std::pair(&now, &is), std::pair(&before, &was)}) {
    if (blocks->empty()) continue;
    protocol::Undoable items = undoable_items(books, *by, run, now.block, std::move(*blocks));
    items.items->count = items_begun(books, now, run);
    if (items.items->count > 0) out.insert(out.begin(), std::move(items));
  }
}

// So many at most: of a loop as many rounds as its parts have, and one part more, which may be under way.
std::uint64_t FlowActivities::items_begun(BlockBooks& books, const Compensated& by, const std::string& run) {
  PartBooks parts(books.context(), deps_);
  const std::string key = books.key_in(run, by.block);
  const auto begun = parts.begun(key);
  if (!begun) return 0;
  const auto items = begun->value("items", std::uint64_t{0});
  if (!iteration_of(by.program.blocks[by.block]).is_loop) return items;
  std::uint32_t ended = 0;
  for (; parts.find(key, ended); ++ended) books.context().heartbeat();
  return std::min(items, (ended + std::uint64_t{1}) * begun->value("each", std::uint64_t{1}));
}

}  // namespace holdfast::flows
