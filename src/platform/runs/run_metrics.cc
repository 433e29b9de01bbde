#include "runs/run_metrics.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "protocol/events.h"
#include "runs/run_watch.h"

namespace holdfast::runs {

namespace {

using Json = nlohmann::json;

const metrics::Bounds& run_bounds() {
  static const metrics::Bounds bounds{0.05, 0.1, 0.25, 0.5,  1,    2.5,   5,     10,
                                      30,   60,  300,  1800, 7200, 86400, 604800};
  return bounds;
}

}  // namespace

RunMetrics::RunMetrics(metrics::Registry& registry, platform::Store& store)
    : store_(store),
      started_(registry.counter({"holdfast_runs_started", "Runs that were started.", "", {"agent"}})),
      ended_(registry.counter({"holdfast_runs_ended",
                               "Runs that ended, by status and by the reason in one word.",
                               "",
                               {"agent", "status", "reason"}})),
      time_(registry.histogram({"holdfast_run_duration_seconds",
                                "From the start of a run to its end, with all that it waited for.",
                                "seconds",
                                {"agent", "status"}},
                               run_bounds())) {}

void RunMetrics::seen(const platform::Event& event) {
  const bool feed = event.run == kRunsFeed;
  const bool starts = feed && event.type == protocol::event::kRunCreated;
  const bool ends = !feed && event.type == protocol::event::kRunClosed;
  if (!starts && !ends) return;
  const Json data = parse_json<Json>(event.data);
  if (!data.is_object()) return;
  if (starts) return started_.add({data.value("agent", "")});
  const std::string status = data.value("status", "");
  const auto record = store_.run(event.run);
  const std::string agent = record ? record->agent : std::string();
  ended_.add({agent, status, data.value("reason", "")});
  if (!record) return;
  const std::chrono::duration<double> took = event.at - record->created_at;
  time_.observe({agent, status}, std::max(took.count(), 0.0));
}

void read_waiting(metrics::Reading& out, platform::Store& store) {
  platform::ApprovalFilter pending;
  pending.status = platform::ApprovalStatus::kPending;
  pending.limit = platform::kMaxPage;
  if (const auto approvals = store.approvals(pending)) {
    out.gauge({"holdfast_approvals_pending", "Approvals that wait for a person, 1000 at most."},
              static_cast<double>(approvals->size()));
  }
  std::vector<metrics::Series> held;
  for (const protocol::HoldKind kind : {protocol::HoldKind::kPaused, protocol::HoldKind::kParked}) {
    platform::HeldFilter filter;
    filter.kind = kind;
    filter.limit = platform::kMaxPage;
    if (const auto runs = store.held_runs(filter))
      held.push_back({{std::string(to_string(kind))}, static_cast<double>(runs->size())});
  }
  out.gauge({"holdfast_runs_held",
             "Runs that are paused, or parked at a failed step, 1000 at most of each.",
             "",
             {"state"}},
            held);
}

}  // namespace holdfast::runs
