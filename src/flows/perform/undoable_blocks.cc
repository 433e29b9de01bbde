// Which calls of a run can be taken back: known by key before they are made, so that whoever takes them back
// asks the ledger and nobody else.

#include <algorithm>

#include "activities/activities.h"
#include "activities/effect_hooks.h"
#include "agent/undoable.h"
#include "perform/one_activity.h"

namespace holdfast::flows {

using agent::require;

protocol::Undoable FlowActivities::undoable_in(BlockBooks& books, const Compensated& by, std::string_view run,
                                               std::size_t block) {
  protocol::CallRef call = books.call(block);
  call.key = books.key_in(run, block);
  return agent::undoable_of(protocol::agent_of_flow(by.program.flow.name), by.version, call,
                            agent::attempts_of(*by.program.blocks[by.block].undo));
}

void FlowActivities::add_undoable(activity::Context& ctx, const Program& program, protocol::FlowPlan& plan) {
  const auto has_one = [](const BoundBlock& block) { return block.undo != nullptr; };
  if (std::ranges::none_of(program.blocks, has_one)) return;
  BlockBooks books(ctx, deps_, program);
  for (protocol::FlowStep& step : plan.steps) {
    for (const std::uint32_t block : step.blocks) {
      if (!has_one(program.blocks[block])) continue;
      step.undoable.push_back(
          undoable_in(books, {program, block, plan.version}, ctx.info().workflow_id, block));
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

}  // namespace holdfast::flows
