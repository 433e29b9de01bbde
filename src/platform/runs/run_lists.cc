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
    run.conversation = data.value("conversation", "");
    if (run.conversation == id) run.conversation.clear();
    run.created_at = event.at;
    run.started_at = event.at;
    return run;
  }
  return std::nullopt;
}

// An open run that was started for a conversation in which another one is at its turn.
Result<bool> waits_for_turn(platform::Store& store, const platform::RunRecord& run,
                            const Standing& standing) {
  if (run.conversation.empty() || is_closed(standing.status)) return false;
  Result<std::optional<platform::Turn>> turn = store.turn(run.run);
  if (!turn) return fail(turn.error());
  const bool waits = *turn && !(*turn)->over && !(*turn)->began;
  return waits && ((*turn)->ahead > 0 || (*turn)->behind_owner);
}

// Of a run that waits in a line, or that another one stands for.
Result<std::optional<platform::FlowTurn>> flow_now(platform::Store& store, const std::string& run,
                                                   const Standing& standing) {
  if (is_closed(standing.status) && standing.status != RunStatus::kCanceled) return std::nullopt;
  return store.flow_turn(run);
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

// A run that is over does not wait, whatever a row says.
Result<std::optional<platform::HeldRun>> held_now(platform::Store& store, const std::string& run,
                                                  const Standing& standing) {
  if (is_closed(standing.status)) return std::nullopt;
  return store.held_run(run);
}

// By the list of those that wait; `after` and `next` are run ids there, too.
Result<RunPage> list_held(Runs& runs, Runs::Impl& impl, const RunQuery& query,
                          const std::set<std::string>& waiting) {
  platform::HeldFilter filter;
  filter.kind = *query.held;
  filter.after = query.after;
  filter.limit = query.limit;
  RunPage out;
  std::size_t scanned = 0;
  bool more = true;
  while (out.runs.size() < query.limit && scanned < kMaxScanned && more) {
    auto page = impl.store().held_runs(filter);
    if (!page) return fail(page.error());
    more = page->size() == filter.limit;
    for (platform::HeldRun& held : *page) {
      if (out.runs.size() == query.limit) {
        more = true;
        break;
      }
      ++scanned;
      filter.after = held.run;
      auto run = runs.find(held.run);  // a sub-agent has no row
      if (!run || (!query.agent.empty() && run->agent != query.agent)) continue;
      Standing standing = impl.standing_of(*run);
      if (is_closed(standing.status)) continue;
      const bool waits = waiting.contains(held.run);
      RunSummary summary;
      summary.run = std::move(*run);
      summary.standing = std::move(standing);
      summary.waits_for_approval = waits;
      summary.held = std::move(held);
      out.runs.push_back(std::move(summary));
    }
  }
  if (more) out.next = filter.after;
  return out;
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
  auto account = impl_->store().account(id);
  if (!account) return fail(account.error());
  auto bill = impl_->store().bill(id);
  if (!bill) return fail(bill.error());

  auto origin = impl_->store().origin(id);
  if (!origin) return fail(origin.error());
  if (*origin) details.origin = (*origin)->origin;
  auto held = held_now(impl_->store(), id, details.summary.standing);
  if (!held) return fail(held.error());
  details.summary.held = *std::move(held);

  auto turn = waits_for_turn(impl_->store(), *run, details.summary.standing);
  if (!turn) return fail(turn.error());
  details.summary.waits_for_turn = *turn;
  auto flow = flow_now(impl_->store(), id, details.summary.standing);
  if (!flow) return fail(flow.error());
  details.summary.flow = *std::move(flow);
  details.summary.run = *std::move(run);
  details.summary.waits_for_approval =
      !is_closed(details.summary.standing.status) &&
      std::any_of(approvals->begin(), approvals->end(),
                  [](const Approval& approval) { return approval.status == ApprovalStatus::kPending; });
  details.approvals = *std::move(approvals);
  details.progress = *std::move(progress);
  details.usage = *usage;
  details.summary.account = *std::move(account);
  details.bill = *std::move(bill);
  auto settings = impl_->store().run_settings(id);
  if (!settings) return fail(settings.error());
  details.settings = *std::move(settings);
  return details;
}

Result<RunPage> Runs::list(const RunQuery& query) {
  auto waiting = runs_that_wait(impl_->store());
  if (!waiting) return fail(waiting.error());
  if (query.held) return list_held(*this, *impl_, query, *waiting);
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
      auto held = held_now(impl_->store(), run.run, standing);
      if (!held) return fail(held.error());
      auto turn = waits_for_turn(impl_->store(), run, standing);
      if (!turn) return fail(turn.error());
      auto flow = flow_now(impl_->store(), run.run, standing);
      if (!flow) return fail(flow.error());
      out.runs.push_back({std::move(run), std::move(standing), waits, *std::move(held), std::nullopt, *turn,
                          *std::move(flow)});
    }
  }
  if (more) out.next = filter.after;
  std::vector<std::string> ids;
  for (const RunSummary& one : out.runs) ids.push_back(one.run.run);
  auto accounts = impl_->store().accounts(ids);
  if (!accounts) return fail(accounts.error());
  for (std::size_t i = 0; i < out.runs.size(); ++i) out.runs[i].account = std::move((*accounts)[i]);
  return out;
}

}  // namespace holdfast::runs
