#include "runs/run_tracker.h"

#include <fmt/format.h>

#include "base/json.h"
#include "platform/run_rules.h"
#include "protocol/events.h"
#include "protocol/flow_run.h"
#include "protocol/names.h"
#include "protocol/run.h"
#include "protocol/undo.h"
#include "runs/run_approvals.h"
#include "runs/run_reason.h"
#include "runs/run_watch.h"

namespace holdfast::runs {

namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{200};
constexpr milliseconds kMaxPause{10'000};
constexpr std::size_t kMaxOutcomes = 10'000;
constexpr std::size_t kMaxOutcomeBytes = 16 << 20;
// Runs in mid-step come first after a restart; to see how the others stand can wait.
constexpr milliseconds kRecoveryDelay{1000};
constexpr milliseconds kRecoveryPause{100};
constexpr std::uint32_t kRecoveryPage = 50;
constexpr std::chrono::seconds kWatchTimeout{60};

// Asking again could help: the engine is not there, busy, or the answer got lost.
bool is_transient(const Status& status) {
  switch (status.code()) {
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
    case Code::kResourceExhausted:
    case Code::kAborted:
    case Code::kInternal:
    case Code::kUnknown:
    case Code::kCancelled: return true;
    default: return false;
  }
}

// Such a run is one activity, and the workflow must know before it asks for anything. Definitions are stored
// in their canonical form.
bool is_single_call(platform::Store& store, const platform::RunRecord& run) {
  if (!run.conversation.empty()) return false;  // it may have to wait for its turn
  const auto definition = store.definition(run.agent, run.definition_hash);
  if (!definition || definition->text.find("\"mode\":\"single\"") == std::string::npos) return false;
  const auto read = parse_json<Json>(definition->text);
  return read.is_object() && read.contains("spec") && read["spec"].value("mode", "") == "single";
}

// The workflow of an agent, of a flow, or of what takes back what one of these did.
Result<WorkflowHandle> start_workflow(const Client& client, platform::Store& store,
                                      const platform::RunRecord& run) {
  StartOptions options(run.run, protocol::kAgentQueue);
  options.request_id(run.request_id);
  // A run id names one run for ever: a finished one is not started again by a late repeat.
  options.id_reuse(IdReusePolicy::kRejectDuplicate);
  const auto origin = store.origin(run.run);
  if (!origin) return fail(origin.error());
  if (*origin && protocol::is_undo_state((*origin)->state)) {
    protocol::UndoInput input;
    input.agent = run.agent;
    input.version = run.definition_hash;
    return client.start(protocol::kUndoWorkflowType, options, input);
  }
  if (protocol::is_flow(run.agent)) {
    protocol::FlowInput input;
    input.flow = run.agent;
    input.version = run.definition_hash;
    return client.start(protocol::kFlowWorkflowType, options, input);
  }
  protocol::RunInput input;
  input.agent = run.agent;
  input.version = run.definition_hash;
  input.conversation = run.conversation;
  input.single = is_single_call(store, run);
  return client.start(protocol::kWorkflowType, options, input);
}

}  // namespace

RunTracker::RunTracker(Background dependencies, std::function<void(const std::string&)> on_closed)
    : BackgroundWork(std::move(dependencies)), on_closed_(std::move(on_closed)) {}

void RunTracker::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  waiting_.clear();
}

// ---- starting

void RunTracker::start(const platform::RunRecord& run) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
  }
  const Json news = {
      {"run", run.run}, {"agent", run.agent}, {"conversation", platform::rules::conversation_of(run)}};
  auto told =
      deps_.streams->publish(kRunsFeed, protocol::event::kRunCreated, dump_json(news), "created-" + run.run);
  if (!told) deps_.log("the feed of runs cannot be written: " + told.error().message());
  try_start(run, kFirstPause);
}

void RunTracker::try_start(const platform::RunRecord& run, milliseconds pause) {
  auto started = start_workflow(*deps_.client, *deps_.store, run);
  if (started) {
    if (Status marked = deps_.store->mark_started(run.run, started->run_id()); !marked.ok()) {
      deps_.log(fmt::format("run {} was started but not marked so: {}", run.run, marked.message()));
    }
    watch(run.run);
    return;
  }
  if (is_transient(started.error())) {
    later(pause, [self = self(this), run, pause] { self->try_start(run, std::min(pause * 2, kMaxPause)); });
    return;
  }
  // The engine refuses for good, for example because a workflow that is not ours has this id.
  deps_.log(fmt::format("run {} cannot be started: {}", run.run, started.error().to_string()));
  RunOutcome outcome;
  outcome.status = RunStatus::kFailed;
  outcome.error_type = "StartFailed";
  outcome.error_message = started.error().message();
  outcome.closed_at = deps_.clock->now();
  (void)deps_.store->mark_started(run.run, "");
  closed(run.run, outcome);
}

// ---- after a restart

void RunTracker::recover() {
  deps_.executor->post([self = self(this), before = deps_.clock->now()] {
    self->recover_starts(before, "");
    self->later(kRecoveryDelay, [self] { self->recover_page("", 0); });
  });
}

void RunTracker::recover_starts(WallTime before, const std::string& after) {
  auto stragglers = deps_.store->unstarted_runs(before, platform::kMaxPage, after);
  if (!stragglers) return deps_.log("cannot read unconfirmed starts: " + stragglers.error().message());
  for (const platform::RunRecord& run : *stragglers) start(run);
  if (stragglers->size() < platform::kMaxPage) return;
  later(kRecoveryPause,
        [self = self(this), before, last = stragglers->back().run] { self->recover_starts(before, last); });
}

// A page at a time, so that requests and runs get their turn in between.
void RunTracker::recover_page(std::string after, std::size_t seen) {
  platform::RunFilter filter;
  filter.after = std::move(after);
  filter.limit = kRecoveryPage;
  auto page = deps_.store->runs(filter);
  if (!page) return deps_.log("cannot read the runs: " + page.error().message());
  // Also those whose end somebody has looked at meanwhile: nobody may have written it down.
  for (const platform::RunRecord& run : *page) {
    if (run.started_at) watch(run.run);
  }
  seen += page->size();
  if (page->size() < kRecoveryPage || seen >= kMaxRecovered) return;
  later(kRecoveryPause,
        [self = self(this), last = page->back().run, seen] { self->recover_page(last, seen); });
}

// ---- watching

void RunTracker::watch(const std::string& run) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_ || watched_.contains(run) || !waiting_set_.insert(run).second) return;
    waiting_.push_back(run);
  }
  watch_next();
}

void RunTracker::watch_next() {
  while (true) {
    std::string run;
    {
      std::lock_guard lock(mutex_);
      if (stopped_ || waiting_.empty() || watched_.size() >= kMaxWatched) return;
      run = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_set_.erase(run);
      watched_.insert(run);
    }
    deps_.client->workflow(run).watch_close(
        kWatchTimeout, [self = self(this), run](Result<std::optional<WorkflowClose>> close) {
          self->on_watched(run, close);
        });
  }
}

void RunTracker::on_watched(const std::string& run, const Result<std::optional<WorkflowClose>>& close) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    watched_.erase(run);
  }
  if (close && *close) {
    closed(run, outcome_of(**close));
  } else if (close || close.error().code() == Code::kDeadlineExceeded) {
    watch(run);  // still open: to the end of the line
  } else if (is_transient(close.error())) {
    later(milliseconds(2000), [self = self(this), run] { self->watch(run); });
  }
  watch_next();
}

void RunTracker::closed(const std::string& run, const RunOutcome& outcome) {
  remember(run, outcome);
  expire_approvals(*deps_.store, run, deps_.log);
  // A run that was terminated could not say that it leaves; who is behind it would find out.
  (void)deps_.store->leave_turn(run);
  // A run that was terminated could not say itself that it does not wait any more.
  if (auto held = deps_.store->held_run(run); held && *held) (void)deps_.store->release_run(run);
  Json event = {{"status", to_string(outcome.status)}, {"reason", stop_reason(outcome)}};
  if (outcome.status == RunStatus::kCompleted) {
    event["result"] = parse_or_string<Json>(outcome.result);
  } else {
    event["error"] = {{"type", outcome.error_type}, {"message", outcome.error_message}};
  }
  write_bill(run, outcome);
  // The news goes along with the event, in one transaction of the log.
  if (Status told = deps_.streams->publish_soon(
          kRunsFeed, protocol::event::kRunClosed,
          dump_json(Json{{"run", run}, {"status", to_string(outcome.status)}}), "closed-" + run);
      !told.ok()) {
    deps_.log("the feed of runs cannot be written: " + told.message());
  }
  // Keyed: repeated by every process that watches, written once.
  if (auto written =
          deps_.streams->publish(run, protocol::event::kRunClosed, dump_json(event), platform::kClosingKey);
      !written) {
    deps_.log(fmt::format("the end of run {} was not recorded: {}", run, written.error().message()));
  }
  on_closed_(run);
}

// Once, whoever ended the run; every process that watches tries.
void RunTracker::write_bill(const std::string& run, const RunOutcome& outcome) {
  platform::Bill bill;
  bill.run = run;
  bill.status = to_string(outcome.status);
  bill.error_type = outcome.error_type;
  bill.ended_at = outcome.closed_at.value_or(deps_.clock->now());
  if (auto record = deps_.store->run(run)) {
    bill.agent = record->agent;
    bill.version = record->definition_hash;
    bill.begun_at = record->created_at;
  }
  if (auto written = deps_.store->write_bill(bill); !written) {
    deps_.log(fmt::format("the bill of run {} was not written: {}", run, written.error().message()));
  }
}

std::optional<RunOutcome> RunTracker::known_outcome(const std::string& run) const {
  std::lock_guard lock(mutex_);
  auto found = outcomes_.find(run);
  return found == outcomes_.end() ? std::nullopt : std::optional(found->second);
}

void RunTracker::remember(const std::string& run, const RunOutcome& outcome) {
  std::lock_guard lock(mutex_);
  std::size_t bytes = outcome.result.size() + outcome.error_message.size();
  if (bytes > kMaxOutcomeBytes / 16 || !outcomes_.emplace(run, outcome).second) return;
  outcome_order_.push_back(run);
  outcome_bytes_ += bytes;
  while (outcome_order_.size() > kMaxOutcomes || outcome_bytes_ > kMaxOutcomeBytes) {
    auto oldest = outcomes_.find(outcome_order_.front());
    outcome_bytes_ -= oldest->second.result.size() + oldest->second.error_message.size();
    outcomes_.erase(oldest);
    outcome_order_.pop_front();
  }
}

}  // namespace holdfast::runs
