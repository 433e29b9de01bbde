// Which calls of a run can be taken back: known by key before they are made, so that whoever takes them back
// asks the ledger and nobody else.

#include <algorithm>

#include "activities/activities.h"
#include "activities/catalog.h"
#include "activities/effect_hooks.h"
#include "agent/undoable.h"
#include "definition/agent_in_flow.h"
#include "perform/one_activity.h"

namespace holdfast::flows {

using agent::require;

FlowActivities::Compensated FlowActivities::compensated(const Program& program, const std::string& version) {
  Compensated out;
  out.version = version;
  const auto has_one = [](const BoundBlock& block) { return block.undo != nullptr; };
  if (std::ranges::none_of(program.blocks, has_one)) return out;
  out.calls = require(agent::calls_of_flow(agent::agent_catalog(), canonical_json(program),
                                           protocol::agent_of_flow(program.flow.name)),
                      "the calls that can be taken back");
  return out;
}

protocol::Undoable FlowActivities::undoable_in(BlockBooks& books, const Compensated& by, std::string_view run,
                                               std::size_t block) {
  protocol::PlannedCall planned;
  planned.call = books.call(block);
  planned.call.key = books.key_in(run, block);
  agent::plan_hooks(by.calls, *by.calls.find_tool(planned.call.tool), planned);
  return agent::undoable_of(by.calls.name, by.version, planned.call, planned.undo);
}

void FlowActivities::add_undoable(activity::Context& ctx, const Program& program, protocol::FlowPlan& plan) {
  const Compensated by = compensated(program, plan.version);
  if (by.calls.tools.empty()) return;
  BlockBooks books(ctx, deps_, program);
  for (protocol::FlowStep& step : plan.steps) {
    for (const std::uint32_t block : step.blocks) {
      if (program.blocks[block].undo)
        step.undoable.push_back(undoable_in(books, by, ctx.info().workflow_id, block));
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
