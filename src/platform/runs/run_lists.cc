// Runs, looked at: one run with all that is known of it, and pages of many.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "platform/run_rules.h"
#include "protocol/events.h"
#include "protocol/fork.h"
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

// A run with settings may be a fork, and that goes on in the conversation of another one.
std::string conversation_of(const platform::RunRecord& run, std::string_view settings) {
  if (const auto fork = protocol::fork_in(settings)) return fork->at.conversation;
  return platform::rules::conversation_of(run);
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

// A page that begins behind what is not there.
Status of_cursor(const Status& error) {
  if (error.code() != Code::kInvalidArgument) return error;
  return with_fault(Code::kInvalidArgument, RunFault::kRunsCursorNotFound, error.message());
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
      if (!query.range.contains(run->created_at)) continue;
      Standing standing = impl.standing_of(*run);
      if (is_closed(standing.status)) continue;
      const bool waits = waiting.contains(held.run);
      auto settings = impl.store().run_settings(held.run);
      if (!settings) return fail(settings.error());
      RunSummary summary;
      summary.conversation = conversation_of(*run, *settings);
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

Result<bool> Runs::is_open(const std::string& id) {
  auto run = find(id);
  if (!run) return fail(run.error());
  return !is_closed(impl_->standing_of(*run).status);
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
  details.summary.conversation = conversation_of(*run, details.settings);
  details.summary.run = *std::move(run);
  return details;
}

Result<platform::RunIndex*> Runs::Impl::index() {
  if (deps.index == nullptr) return fail(Code::kUnimplemented, "this server has no index of its runs");
  return deps.index;
}

Result<RunSummary> Runs::Impl::summary_of(platform::RunRecord run, Standing standing, bool waits) {
  auto held = held_now(store(), run.run, standing);
  if (!held) return fail(held.error());
  auto turn = waits_for_turn(store(), run, standing);
  if (!turn) return fail(turn.error());
  auto flow = flow_now(store(), run.run, standing);
  if (!flow) return fail(flow.error());
  auto settings = store().run_settings(run.run);
  if (!settings) return fail(settings.error());
  RunSummary out;
  out.conversation = conversation_of(run, *settings);
  out.waits_for_approval = waits && !is_closed(standing.status);
  out.run = std::move(run);
  out.standing = std::move(standing);
  out.held = *std::move(held);
  out.waits_for_turn = *turn;
  out.flow = *std::move(flow);
  return out;
}

Result<RunPage> Runs::list(const RunQuery& query) {
  auto waiting = runs_that_wait(impl_->store());
  if (!waiting) return fail(waiting.error());
  if (query.held) return list_held(*this, *impl_, query, *waiting);
  platform::RunFilter filter;
  filter.agent = query.agent;
  filter.after = query.after;
  filter.limit = query.status ? kMaxRunsPage : query.limit;
  platform::RunIndex* index = nullptr;
  if (query.range.any()) {
    auto found = impl_->index();
    if (!found) return fail(found.error());
    index = *found;
  }

  RunPage out;
  std::size_t scanned = 0;
  bool more = true;
  while (out.runs.size() < query.limit && scanned < kMaxScanned && more) {
    auto page = index != nullptr ? index->runs(filter, query.range) : impl_->store().runs(filter);
    if (!page) return fail(of_cursor(page.error()));
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
      const bool waits = waiting->contains(run.run);
      auto summary = impl_->summary_of(std::move(run), std::move(standing), waits);
      if (!summary) return fail(summary.error());
      out.runs.push_back(*std::move(summary));
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

Result<ConversationList> Runs::conversations(const std::string& after, std::uint32_t limit) {
  auto index = impl_->index();
  if (!index) return fail(index.error());
  auto rows = (*index)->conversations(after, limit);
  if (!rows) return fail(of_cursor(rows.error()));
  auto waiting = runs_that_wait(impl_->store());
  if (!waiting) return fail(waiting.error());
  ConversationList out;
  if (rows->size() == limit) out.next = rows->back().newest;
  for (platform::ConversationRow& row : *rows) {
    auto run = find(row.newest);
    if (!run && run.error().code() == Code::kNotFound) continue;
    if (!run) return fail(run.error());
    run->input = platform::rules::first_characters(std::move(run->input), platform::kMaxListedInput);
    Standing standing = impl_->standing_of(*run);
    auto summary = impl_->summary_of(*std::move(run), std::move(standing), waiting->contains(row.newest));
    if (!summary) return fail(summary.error());
    out.conversations.push_back({std::move(row), *std::move(summary)});
  }
  return out;
}

Result<std::vector<platform::BudgetRow>> Runs::budgets(const platform::BudgetFilter& filter) {
  auto index = impl_->index();
  if (!index) return fail(index.error());
  auto rows = (*index)->budgets(filter);
  if (!rows) return fail(of_cursor(rows.error()));
  return rows;
}

Result<RunHistogram> Runs::histogram(const HistogramQuery& query) {
  auto index = impl_->index();
  if (!index) return fail(index.error());
  RunHistogram out;
  auto span = (*index)->run_span();
  if (!span) return fail(span.error());
  const WallTime now = impl_->deps.environment->clock().now();
  const auto [oldest, newest] = span->value_or(std::pair(now, now));
  out.from = query.range.from.value_or(oldest);
  out.to = query.range.to.value_or(std::max(now, newest + std::chrono::nanoseconds(1)));
  if (out.from >= out.to) return out;
  out.width = platform::bin_width(out.from, out.to, query.bins);
  platform::RunCountQuery asked;
  asked.agent = query.agent;
  asked.from = out.from;
  asked.to = out.to;
  asked.width = out.width;
  // A time that is wider than any bin is cut to its newest part.
  const WallTime earliest = out.to - asked.width * query.bins;
  if (asked.from < earliest) asked.from = out.from = platform::bin_begin(earliest, out.width) + out.width;
  asked.origin = platform::bin_begin(asked.from, out.width);
  auto counts = (*index)->run_counts(asked);
  if (!counts) return fail(counts.error());
  std::map<std::int64_t, RunHistogram::Bin> bins;
  for (const platform::RunCount& one : *counts) {
    RunHistogram::Bin& bin = bins[one.bin];
    bin.from = asked.origin + asked.width * one.bin;
    bin.total += one.count;
    bin.counts[one.status] += one.count;
    out.total += one.count;
  }
  for (auto& [place, bin] : bins) out.bins.push_back(std::move(bin));
  return out;
}

}  // namespace holdfast::runs
