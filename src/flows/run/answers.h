#pragma once

// What a run of a flow answers for: calls that may be taken back, its own and those of runs that it called,
// in the order in which they were begun. Of the items of a map or loop one entry stands for all. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "holdfast/payload.h"
#include "protocol/flow_run.h"
#include "run/iteration.h"

namespace holdfast::flows {

// Those of a step that begins; what is known stays where it is.
void remember(std::vector<protocol::Undoable>& all, const protocol::FlowStep& step);
// Calls of blocks that did not run. `outlets`: by block.
void forget_skipped(std::vector<protocol::Undoable>& all, const protocol::FlowStep& step,
                    const std::vector<std::string>& outlets);
// Of a map or loop: so many items as have begun.
void count_items(std::vector<protocol::Undoable>& all, const protocol::FlowStep& step, const Parts& parts);
// The calls of these items alone, of a map that `run`, or one that it takes up, goes over.
std::vector<protocol::Undoable> of_items(const std::vector<protocol::Undoable>& all,
                                         const protocol::FlowStep& step, const std::string& run,
                                         const std::vector<protocol::FlowOrigin>& taken_up,
                                         const std::vector<std::uint64_t>& items);
// Whether all are calls of this run's own blocks.
bool are_own(const std::vector<protocol::Undoable>& all, const protocol::FlowPlan& plan);
// Into the result of the run, for whoever called it: what the last block made stays as it is.
void tell_undoable(Payload& result, const std::vector<protocol::Undoable>& all);

}  // namespace holdfast::flows
