#pragma once

// Runs: what a server does for runs of agents: start, watch, decide, stop, list and view them. HTTP, the
// demo, and whoever else speaks for a user are its callers; it knows nothing of them, and the engine may be
// ours in process or a Temporal cluster.
//
// Owner: app. Thread-safe; calls block unless they say otherwise. Everything promised is in the platform
// store before a call returns; what the engine has not confirmed yet is repeated, also after a restart
// (RunTracker, DecisionSender).
//
// Failures: a Status with a RunFault (runs/run_fault.h) where the request is at fault; otherwise the store's
// or the engine's.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/environment.h"
#include "platform/links.h"
#include "platform/store.h"
#include "platform/streams.h"
#include "protocol/decision.h"
#include "runs/after.h"
#include "runs/run_fault.h"
#include "runs/run_lists.h"
#include "runs/run_standing.h"
#include "runs/run_view.h"
#include "runs/run_watch.h"
#include "runs/schedules.h"
#include "runs/steering.h"
#include "runs/telling.h"

namespace holdfast::api {
class Connection;
}

namespace holdfast::runs {

// Run ids and names travel in URLs and logs; "$" begins names of our own.
inline constexpr std::size_t kMaxIdBytes = 200;
bool is_valid_run_id(std::string_view id);
// The same as a Status that says what an id may be.
Status check_run_id(std::string_view id);

// Everything outlives the Runs.
struct RunsDependencies {
  api::Connection* connection = nullptr;
  platform::Store* store = nullptr;
  platform::LinkStore* links = nullptr;  // none: nobody decides by a link
  platform::Streams* streams = nullptr;
  platform::RunIndex* index = nullptr;  // none: no lists but that of runs, and that of no time
  const Environment* environment = nullptr;
  After after;
  std::function<void(std::string_view message)> log;
  // Whether a run of that definition may begin with those settings. INVALID_ARGUMENT; FAILED_PRECONDITION:
  // they lack what its tools need; PERMISSION_DENIED: net::missing_grants. None: all may.
  std::function<Status(const platform::Definition& definition, std::string_view settings)> check_settings;
  // The line in which a run of that definition is to stand (FlowPlace::run is left empty). None: no run
  // stands in any.
  std::function<Result<std::optional<platform::FlowPlace>>(const platform::Definition& definition,
                                                           const platform::StartIntent& intent)>
      flow_of;
  // Whether a model can be told what a message into a run says. INVALID_ARGUMENT. None: all can be told.
  std::function<Status(const std::string& text)> check_message;
  // Signs a decision, so that runs take it as the server's (protocol/decision_signature.h). None: nobody
  // does.
  std::function<void(protocol::Decision&)> sign;
  std::string namespace_name = "default";
};

struct StartedRun {
  platform::RunRecord run;
  bool created = false;  // false: the same request was here before; this is what it made
  RunStatus status = RunStatus::kQueued;
  // Of a run that is not kept: to be held by whoever is to be told how it ends. Null: it is over, and told.
  std::shared_ptr<Telling> telling;
};

struct RunSummary {
  platform::RunRecord run;
  Standing standing;
  bool waits_for_approval = false;
  std::optional<platform::HeldRun> held = std::nullopt;  // paused or parked
  std::optional<platform::Account> account =
      std::nullopt;             // what it and its sub-agents used; none: of an earlier version
  std::string conversation;     // that it goes on in: of a fork, that of the run that was forked
  bool waits_for_turn = false;  // another run is at its turn in the conversation
  std::optional<platform::FlowTurn> flow = std::nullopt;  // of an agent with flow control
};

struct RunDetails {
  RunSummary summary;
  std::vector<platform::Approval> approvals;  // newest first
  RunViews::Snapshot progress;
  platform::UsageTotal usage;          // of the run alone
  std::optional<platform::Bill> bill;  // once it has ended
  std::string origin;                  // the run that this one took up
  std::string settings;                // JSON; empty: none
};

struct RunQuery {
  std::string agent;                                      // empty: every agent
  std::optional<RunStatus> status;                        // none: every status
  std::optional<protocol::HoldKind> held = std::nullopt;  // only those; then by run id
  platform::TimeRange range = {};                         // in which their starts were accepted
  std::string after;                                      // the last page's `next`
  std::uint32_t limit = 50;                               // at most kMaxRunsPage
};
inline constexpr std::uint32_t kMaxRunsPage = 200;

struct RunPage {
  std::vector<RunSummary> runs;  // newest first
  std::string next;              // empty: this was the last page
};

// A conversation that runs were started for, or went on with.
struct ConversationSummary {
  platform::ConversationRow row;
  RunSummary newest;
};
struct ConversationList {
  std::vector<ConversationSummary> conversations;  // by their newest runs, newest first
  std::string next;                                // empty: this was the last page
};

// A part of a conversation, and whose turn it is there.
struct ConversationQuery {
  std::string conversation;
  std::uint32_t branch = 0;
  std::uint64_t after = 0;    // the last page's `next`
  std::uint32_t limit = 100;  // at most platform::kMaxPage
};
struct ConversationPage {
  platform::Reference head;
  std::vector<platform::Message> messages;  // oldest first
  std::uint64_t next = 0;                   // 0: this was the last page
};
// Messages of one page have so many bytes together, unless it is one alone.
inline constexpr std::size_t kMaxConversationPage = 2 << 20;

struct DecisionRequest {
  std::string approval;
  protocol::DecisionKind decision = protocol::DecisionKind::kApprove;
  std::string arguments_sha256;  // what the person saw; empty: not said
  std::string edited_arguments;  // kEdit, and the answer of kAnswer: a JSON object, keys sorted
  std::string decided_by;
  std::string comment;
  std::string scope;            // protocol::kScopeRun, or empty: this call alone
  std::string idempotency_key;  // one key is one attempt; empty: an attempt of its own
  std::string link;             // the id of the link that is used by it; empty: none is
};

enum class DecisionOutcome : std::uint8_t {
  kTaken,
  kSent,            // stored and sent; the run has not answered in time
  kAlreadyDecided,  // by whom and how stands in the approval
  kExpired,
  kRefused,  // for another reason: `why`
};
struct Decided {
  DecisionOutcome outcome = DecisionOutcome::kSent;
  platform::Approval approval;  // as it is now
  std::string why;
  int have = 0, need = 0;  // of approvals, where several are needed
};
using DecidedDone = std::move_only_function<void(Result<Decided>)>;

class Runs {
 public:
  explicit Runs(RunsDependencies dependencies);
  // Ends what waits and returns when every callback has run.
  ~Runs();
  Runs(const Runs&) = delete;
  Runs& operator=(const Runs&) = delete;

  // Finishes what an earlier process left unconfirmed, and watches what is open. Does not block.
  void recover();
  // No more retries; a start or a decision that comes now is stored, and the next process sees it through.
  void stop();

  // Returns when the intent is durable; the workflow is started behind it. A version (definition_hash, or
  // behind an @ of the agent) is a hash, what only one begins with, or a label; left out it is the current
  // one.
  Result<StartedRun> start(platform::StartIntent intent);

  // What a run is told, text or JSON with parts. INVALID_ARGUMENT: the parts are none.
  Status check_message(const std::string& text) const;
  // The same of a run's input, which is JSON.
  Status check_input(const std::string& input) const;

  // A run of the store, or that of a sub-agent, which has a log but no row: its parent started it.
  Result<platform::RunRecord> find(const std::string& run);
  Result<RunDetails> view(const std::string& run);
  Result<bool> is_open(const std::string& run);
  Result<RunPage> list(const RunQuery& query);
  // Counted by the database, in one query. How a run stands is what this server has written down of it, which
  // may be a moment behind what the engine says to list().
  Result<RunHistogram> histogram(const HistogramQuery& query);
  // `after`: the last page's `next`.
  Result<ConversationList> conversations(const std::string& after, std::uint32_t limit);
  // Runs with budgets of their own, newest first.
  Result<std::vector<platform::BudgetRow>> budgets(const platform::BudgetFilter& filter);

  // Who asks for the end of an open run, for its pause or its going on, is in the record before it is asked.
  // The status that the run had: a closed one means that it was over, and nothing was asked.
  Result<RunStatus> cancel(const StopRequest& request);
  Result<RunStatus> terminate(const StopRequest& request);

  // `done` runs once, on any thread: with what the run answered, or after `answer_within` with kNoAnswer; a
  // message that is sent again under its id is taken once.
  void steer(const SteerRequest& request, std::chrono::milliseconds answer_within, SteerDone done);
  // Whether the run has taken the message of that id, also when it is over.
  Result<bool> has_received(const std::string& run, const std::string& message);
  // A closed run is taken up under a new id: its conversation goes on, and nothing of it is done again.
  Result<StartedRun> retry(const RetryRequest& request);
  // A run of its own takes back what a closed one did; the same request again is that run. kNotUndone: there
  // is nothing, or nobody knows any more.
  Result<UndoPlan> plan_undo(const std::string& run);
  Result<StartedRun> undo(const UndoRequest& request);
  // To a page of runs. Starting and cancelling block; `done` runs once, on any thread.
  void bulk(const BulkRequest& request, std::chrono::milliseconds answer_within, BulkDone done);

  // Deletes the run's history, and soon after what was kept for it alone; an open run is terminated first.
  // Its record stays. The status that the run had; a history that is gone already is no error.
  Result<RunStatus> erase(const StopRequest& request);
  // Of a run that is not kept: what is stored of it stays for as long as this is held. Null: the run is kept,
  // or gone.
  std::shared_ptr<Telling> tell(const std::string& run);
  // The engine says that it has deleted a history. Never blocks.
  void history_deleted(const std::string& run);

  Result<platform::Approval> approval(const std::string& id);
  // Stores the attempt and sends it until the run has answered. `done` runs once, on any thread: with the
  // answer, or after `answer_within` with kSent.
  void decide(const DecisionRequest& request, std::chrono::milliseconds answer_within, DecidedDone done);

  // Ends a call that was given this token. Returns when that is durable; the run is told behind it, until it
  // has heard. The same again is the same.
  Result<platform::Completion> complete(const platform::CompletionAttempt& attempt);

  // Raises budgets of an open run, for good, and tells those who wait for them: who waited for one goes on.
  // A budget that the run does not have, or that would be lowered, is kBudgetNotRaised.
  Result<platform::Account> raise_budget(const platform::Raise& wanted);

  Result<ConversationPage> conversation(const ConversationQuery& query);
  // Which runs came to the conversation, newest first; see Store::turns().
  Result<std::vector<platform::Turn>> turns(const std::string& conversation, const std::string& after,
                                            std::uint32_t limit);

  // Agents that run by the clock.
  Schedules& schedules();

  // Whether there is such a run, or at least its log.
  bool has_log(const std::string& run);
  Result<platform::EventPage> events(const std::string& run, std::string_view cursor, std::uint32_t limit);
  // The cursor stands behind the last event of a log to which nothing is added any more.
  Result<bool> is_read_to_its_end(const std::string& run, std::string_view cursor);
  // `logs` are runs, or kRunsFeed; see RunWatch.
  Result<std::unique_ptr<RunWatch>> watch(const std::vector<std::string>& logs,
                                          const std::optional<RunWatch::Place>& from, platform::Deltas deltas,
                                          const std::function<void()>& on_ready);

  // A failure means that the engine cannot be reached.
  Result<std::string> engine_version();
  const std::string& namespace_name() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::runs
