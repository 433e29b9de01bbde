// When a schedule's next run is due, and its start: under an id that says for when, so that it starts once.

#include <fmt/format.h>

#include <chrono>

#include "activities/activities.h"
#include "base/cron.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "holdfast/failure.h"
#include "os/time_zone.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{250};
constexpr milliseconds kLongestPause{30'000};

std::int64_t ms_of(WallTime at) {
  return std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count();
}

// "nightly@2026-11-29T02:00:00.000Z"; of one that a person asked for, "...Z-now".
std::string run_id_of(const FireInput& in) {
  return fmt::format("{}@{}{}", in.spec.name, iso_time(WallTime(milliseconds(in.due_ms))),
                     in.triggered ? "-now" : "");
}

}  // namespace

NextDue Activities::schedule_next(activity::Context&, const NextInput& in) {
  const auto cron = parse_cron(in.cron);
  if (!cron) throw ApplicationFailure::non_retryable("the cron fields are wrong", "INVALID_ARGUMENT");
  const os::TimeZone zone = require(os::TimeZone::load(in.time_zone), "the time zone");
  NextDue out;
  if (const auto due = zone.next(*cron, WallTime(milliseconds(in.after_ms)))) out.due_ms = ms_of(*due);
  return out;
}

Fired Activities::schedule_fire(activity::Context& ctx, const FireInput& in) {
  Fired out;
  const std::string run = run_id_of(in);
  const bool may_overlap = in.triggered || in.spec.overlap == Overlap::kAllow;
  // An attempt after a crash may find that it has started the run already.
  const bool started = deps_.store->run(run).has_value();
  if (!started && !may_overlap && !in.previous.empty() && !turns_.is_over(in.previous)) {
    if (in.spec.overlap == Overlap::kSkip) return out;
    const int doublings = std::min(ctx.info().attempt - 1, 7);
    throw ApplicationFailure(fmt::format("waits for the end of the run {}", in.previous), kBusyType, false,
                             {}, std::min(kFirstPause * (1 << doublings), kLongestPause));
  }
  platform::StartIntent intent;
  intent.run = run;
  intent.agent = in.spec.agent;
  intent.definition_hash = in.spec.version;
  intent.input = dump_json(in.spec.input);
  intent.conversation = in.spec.conversation;
  intent.started_by = "schedule:" + in.spec.name;
  if (!deps_.start_run)
    throw ApplicationFailure::non_retryable("this worker starts no runs", "UNIMPLEMENTED");
  require_ok(deps_.start_run(std::move(intent)), "starting the run");
  out.run = run;
  return out;
}

}  // namespace holdfast::agent
