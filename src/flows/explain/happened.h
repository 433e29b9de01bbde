#pragma once

// A plan beside what became of it in a run: per block when it was to begin and how long to take, and when it
// did. Pure.

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "explain/explain.h"

namespace holdfast::flows {

// Of all attempts at a block, since the run began.
struct BlockSpan {
  std::string block;
  double starts_ms = 0;
  double took_ms = 0;
  std::string status;  // of the last attempt: ok, error, ...
};

// {"flow","planner","predicted_ms","took_ms","error_percent",
//  "blocks":[{"block","type","activity","predicted":{"starts_ms","takes_ms"},
//             "was":{"starts_ms","took_ms","status"}|null,"error_percent"}]}
// `was` is null of a block that did not run. Blocks of one activity that call nothing are told together when
// it ends: what they took is an upper bound.
nlohmann::ordered_json plan_and_run(const Flow& flow, const Costs& costs, const std::vector<BlockSpan>& spans,
                                    double took_ms);

}  // namespace holdfast::flows
