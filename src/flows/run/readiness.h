#pragma once

// Whether a block runs, once everything that it needs has ended. Pure: the workflow and its activities come
// to the same.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/flow_run.h"

namespace holdfast::flows {

// By which outlet a block ended; kFlowSkipped: it did not run.
using OutletOf = std::function<std::string_view(std::uint32_t block)>;

// A need is met by a block that ended by that outlet. `all`: every need is met; `any`: one of them is. A
// block that needs nothing runs.
bool runs(const protocol::FlowRule& rule, const OutletOf& outlet_of);

// By block how it ended; empty: it has not.
using Outlets = std::vector<std::string>;
// None of the step's blocks can run: then there is no activity. One that waits for another of the same step
// is skipped with that.
bool is_skipped(const protocol::FlowPlan& plan, const protocol::FlowStep& step, const Outlets& outlets);
// How those ended that the step's blocks need, and that are not among them.
std::vector<protocol::FlowEnded> known_to(const protocol::FlowPlan& plan, const protocol::FlowStep& step,
                                          const Outlets& outlets);

}  // namespace holdfast::flows
