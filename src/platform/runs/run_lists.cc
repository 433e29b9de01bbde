// Runs, looked at: one run with all that is known of it, and pages of many.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "protocol/events.h"
#include "runs/runs_impl.h"

namespace holdfast::runs {

namespace {

using Json = nlohmann::ordered_json;
using platform::Approval;
using platform::ApprovalStatus;

// Status is the engine's to tell, so a filter looks at rows until the page is full or this many were seen.
constexpr std::size_t kMaxScanned = 1000;
// `run.started` stands at the beginning of a log.
constexpr std::size_t kFirstEvents = 50;

// The first event of a sub-agent's log says what it is.
std::optional<platform::RunRecord> run_of_log(platform::Streams& streams, const std::string& id) {
  if (!is_valid_run_id(id)) return std::nullopt;
  auto page = streams.read(id, "", kFirstEvents);
  if (!page) return std::nullopt;
  for (const platform::Event& event : page->events) {
    if (event.type != protocol::event::kRunStarted) continue;
    Json data = parse_json<Json>(event.data);
    if (!data.is_object()) return std::nullopt;
    platform::RunRecord run;
    run.run = id;
    run.agent = data.value("agent", "");
    run.definition_hash = data.value("version", "");
    run.input = dump_json(data.value("input", Json("")));
    run.input_bytes = run.input.size();
    run.created_at = event.at;
    run.started_at = event.at;
    return run;
  }
  return std::nullopt;
}

Result<std::set<std::string>> runs_that_wait(platform::Store& store) {
  platform::ApprovalFilter filter;
  filter.status = ApprovalStatus::kPending;
  filter.limit = platform::kMaxPage;
  auto pending = store.approvals(filter);
  if (!pending) return fail(pending.error());
  std::set<std::string> runs;
  for (const Approval& approval : *pending) runs.insert(approval.run);
  return runs;
}

}  // namespace

Result<platform::RunRecord> Runs::find(const std::string& run) {
  auto found = impl_->store().run(run);
  if (found || found.error().code() != Code::kNotFound) return found;
  if (auto child = run_of_log(*impl_->deps.streams, run)) return *std::move(child);
  return fail(with_fault(Code::kNotFound, RunFault::kRunNotFound, fmt::format("there is no run '{}'", run)));
}

Result<RunDetails> Runs::view(const std::string& id) {
  auto run = find(id);
  if (!run) return fail(run.error());
  RunDetails details;
  details.summary.standing = impl_->standing_of(*run);
  platform::ApprovalFilter filter;
  filter.run = id;
  filter.limit = platform::kMaxPage;
  auto approvals = impl_->store().approvals(filter);
  if (!approvals) return fail(approvals.error());
  auto progress = impl_->views.snapshot(id);
  if (!progress) return fail(progress.error());
  auto usage = impl_->store().usage_of_run(id);
  if (!usage) return fail(usage.error());

  details.summary.run = *std::move(run);
  details.summary.waits_for_approval =
      !is_closed(details.summary.standing.status) &&
      std::any_of(approvals->begin(), approvals->end(),
                  [](const Approval& approval) { return approval.status == ApprovalStatus::kPending; });
  details.approvals = *std::move(approvals);
  details.progress = *std::move(progress);
  details.usage = *usage;
  auto settings = impl_->store().run_settings(id);
  if (!settings) return fail(settings.error());
  details.settings = *std::move(settings);
  return details;
}

Result<RunPage> Runs::list(const RunQuery& query) {
  auto waiting = runs_that_wait(impl_->store());
  if (!waiting) return fail(waiting.error());
  platform::RunFilter filter;
  filter.agent = query.agent;
  filter.after = query.after;
  filter.limit = query.status ? kMaxRunsPage : query.limit;

  RunPage out;
  std::size_t scanned = 0;
  bool more = true;
  while (out.runs.size() < query.limit && scanned < kMaxScanned && more) {
    auto page = impl_->store().runs(filter);
    if (!page) {
      if (page.error().code() != Code::kInvalidArgument) return fail(page.error());
      return fail(with_fault(Code::kInvalidArgument, RunFault::kRunsCursorNotFound, page.error().message()));
    }
    more = page->size() == filter.limit;
    for (platform::RunRecord& run : *page) {
      if (out.runs.size() == query.limit) {
        more = true;
        break;
      }
      ++scanned;
      filter.after = run.run;
      Standing standing = impl_->standing_of(run);
      if (query.status && standing.status != *query.status) continue;
      bool waits = waiting->contains(run.run) && !is_closed(standing.status);
      out.runs.push_back({std::move(run), std::move(standing), waits});
    }
  }
  if (more) out.next = filter.after;
  return out;
}

}  // namespace holdfast::runs
