#pragma once

// Forks as the API writes them. Internal to the module; pure.

#include "http/json_reply.h"
#include "runs/forks.h"

namespace holdfast::http {

// {"run", "at": {"message", "sha256"}, "depth", ...}
Json forked_from_json(const protocol::Fork& fork);
// What the runs before used: not on the fork's bill.
Json inherited_json(const protocol::Fork& fork);
Json fork_plan_json(const runs::ForkPlan& plan);
Json diff_json(const runs::RunDiff& diff, const std::string& namespace_name);
// With the nearest place, where there is one.
Problem fork_problem(const Status& status);

}  // namespace holdfast::http
