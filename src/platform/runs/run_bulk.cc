// What is done to one run, done to a page of them; each row says what came of it.

#include <fmt/format.h>

#include <mutex>

#include "base/json.h"
#include "protocol/words.h"
#include "runs/runs_impl.h"

namespace holdfast::runs {

namespace {

using protocol::Word;

constexpr protocol::Words kActions("action on many runs",
                                   {Word{BulkAction::kPause, "pause"}, Word{BulkAction::kResume, "resume"},
                                    Word{BulkAction::kFail, "fail"}, Word{BulkAction::kCancel, "cancel"},
                                    Word{BulkAction::kRetry, "retry"}});

// The page, until its last row is known.
struct Gather {
  std::mutex mutex;
  BulkPage page;         // guarded by mutex
  std::size_t left = 0;  // guarded by mutex
  BulkDone done;

  void know(std::size_t row, bool ok, std::string detail) {
    bool last = false;
    {
      std::lock_guard lock(mutex);
      page.rows[row].done = ok;
      page.rows[row].detail = std::move(detail);
      last = --left == 0;
    }
    if (last) done(std::move(page));
  }
};

std::string status_of(const RunSummary& run) {
  return std::string(run.held ? to_string(run.held->kind) : to_string(run.standing.status));
}

bool fits(BulkAction action, const RunSummary& run) {
  const bool closed = is_closed(run.standing.status);
  switch (action) {
    case BulkAction::kPause: return !closed && !run.held;
    case BulkAction::kResume: return !closed && run.held.has_value();
    case BulkAction::kFail: return !closed && run.held && run.held->kind == protocol::HoldKind::kParked;
    case BulkAction::kCancel: return !closed;
    case BulkAction::kRetry: return closed && !run.standing.history_deleted;
  }
  return false;
}

SteerKind steering_of(BulkAction action) {
  if (action == BulkAction::kPause) return SteerKind::kPause;
  return action == BulkAction::kResume ? SteerKind::kResume : SteerKind::kGiveUp;
}

}  // namespace

std::string_view to_string(BulkAction action) {
  return kActions.text(action);
}
std::optional<BulkAction> bulk_action_by_name(std::string_view name) {
  return kActions.find(name);
}

void Runs::bulk(const BulkRequest& request, std::chrono::milliseconds answer_within, BulkDone done) {
  RunQuery query;
  query.agent = request.agent;
  query.status = request.status;
  query.held = request.held;
  query.range = request.range;
  query.after = request.after;
  query.limit = std::min(request.limit, kMaxBulk);
  auto found = list(query);
  if (!found) return done(fail(found.error()));
  auto gather = std::make_shared<Gather>();
  gather->page.next = found->next;
  for (const RunSummary& run : found->runs)
    gather->page.rows.push_back({run.run.run, run.run.agent, status_of(run), false, ""});
  gather->left = found->runs.size();
  if (found->runs.empty()) return done(std::move(gather->page));
  gather->done = std::move(done);
  Status away;  // an engine that does not answer is not asked about every run of the page
  const auto say = [&](std::size_t row, const Status& error) {
    if (error.code() == Code::kUnavailable || error.code() == Code::kDeadlineExceeded) away = error;
    gather->know(row, false, std::string(error.message()));
  };
  for (std::size_t i = 0; i < found->runs.size(); ++i) {
    const RunSummary& run = found->runs[i];
    if (!away.ok()) {
      gather->know(i, false, fmt::format("not tried: {}", away.message()));
    } else if (!fits(request.action, run)) {
      gather->know(i, false, fmt::format("it is {}", status_of(run)));
    } else if (request.dry_run) {
      gather->know(i, true, "");
    } else if (request.action == BulkAction::kCancel) {
      auto canceled = cancel({.run = run.run.run, .by = request.by, .reason = request.reason});
      if (canceled) {
        gather->know(i, true, "");
      } else {
        say(i, canceled.error());
      }
    } else if (request.action == BulkAction::kRetry) {
      RetryRequest retried;
      retried.run = run.run.run;
      retried.version = request.version;
      retried.by = request.by;
      auto started = retry(retried);
      if (started) {
        gather->know(i, true, started->run.run);
      } else {
        say(i, started.error());
      }
    } else {
      SteerRequest steered;
      steered.kind = steering_of(request.action);
      steered.run = run.run.run;
      steered.by = request.by;
      steered.reason = request.reason;
      steered.version = request.version;
      steer(steered, answer_within, [gather, i](Result<std::string> answer) {
        gather->know(i, answer.has_value(), answer ? "" : std::string(answer.error().message()));
      });
    }
  }
}

}  // namespace holdfast::runs
