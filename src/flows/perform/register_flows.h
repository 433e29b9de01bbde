#pragma once

// Gives a set of workers everything a run of a flow needs, beside what agents need.

#include <chrono>
#include <functional>
#include <string_view>

#include "activities/register.h"
#include "holdfast/status.h"
#include "wire/message.h"

namespace holdfast::flows {

// Evaluates in the sandbox, for a tenant; waits that long for a free process. See sandbox::Broker::run.
using Evaluate = std::function<Result<sandbox::Reply>(
    std::string_view tenant, const sandbox::Request& request, std::chrono::milliseconds patience)>;

// Before the workers start.
void register_flows(const agent::Workers& workers, const agent::Deps& deps, Evaluate evaluate);

}  // namespace holdfast::flows
