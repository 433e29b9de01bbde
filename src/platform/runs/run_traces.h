#pragma once

// A run's whole trace, read from its log at the moment of asking. Blocks; any thread.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "holdfast/status.h"
#include "platform/store.h"
#include "platform/trace_context.h"
#include "runs/run_trace.h"
#include "runs/runs.h"

namespace holdfast::runs {

struct RunTraceView {
  platform::TraceContext context;
  std::vector<TraceSpan> spans;   // the run's own first, then by their beginnings
  nlohmann::ordered_json report;  // see trace_report()
};

// NOT_FOUND: there is no such run.
Result<RunTraceView> trace_of_run(Runs& runs, platform::Store& store, const std::string& run);

}  // namespace holdfast::runs
