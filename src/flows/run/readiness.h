#pragma once

// Whether a block runs, once everything that it needs has ended. Pure: the workflow and its activities come
// to the same.

#include <functional>
#include <string_view>

#include "protocol/flow_run.h"

namespace holdfast::flows {

// By which outlet a block ended; kFlowSkipped: it did not run.
using OutletOf = std::function<std::string_view(std::uint32_t block)>;

// A need is met by a block that ended by that outlet. `all`: every need is met; `any`: one of them is. A
// block that needs nothing runs.
bool runs(const protocol::FlowRule& rule, const OutletOf& outlet_of);

}  // namespace holdfast::flows
