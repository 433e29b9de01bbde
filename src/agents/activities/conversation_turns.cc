#include "activities/conversation_turns.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "activities/activities.h"
#include "holdfast/failure.h"
#include "protocol/names.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

// An attempt waits here a while for the one before it, so that a turn that is left is taken at once. Few do:
// the activities that end runs need their places.
constexpr int kMaxWaitingHere = 4;
constexpr milliseconds kWaitHere{2000};
constexpr milliseconds kLook{20};
constexpr int kLooksPerQuestion = 10;

// Then the engine waits: the next in line comes back soon, whoever stands further back later.
constexpr milliseconds kFirstPause{250};
constexpr milliseconds kLongestPauseOfNext{4'000};
constexpr milliseconds kLongestPause{30'000};
constexpr int kMaxDoublings = 6;

// Dead places that one attempt clears.
constexpr int kMaxCleared = 16;
// Runs about which one attempt asks.
constexpr std::size_t kMaxAsked = 4;

milliseconds pause_of(std::int32_t attempt, std::uint32_t ahead) {
  const int doublings = std::min(attempt - 1, kMaxDoublings);
  return std::min(kFirstPause * (1 << doublings) * std::max<std::uint32_t>(ahead, 1),
                  ahead > 1 ? kLongestPause : kLongestPauseOfNext);
}

[[noreturn]] void throw_busy(const std::string& conversation, const std::string& behind, Duration pause) {
  throw ApplicationFailure(
      fmt::format("waits for its turn in the conversation {}, behind the run {}", conversation, behind),
      kBusyType, false, {}, pause);
}

bool is_closed(WorkflowStatus status) {
  switch (status) {
    case WorkflowStatus::kCompleted:
    case WorkflowStatus::kFailed:
    case WorkflowStatus::kCanceled:
    case WorkflowStatus::kTerminated:
    case WorkflowStatus::kTimedOut: return true;
    default: return false;
  }
}

}  // namespace

std::atomic<std::uint64_t>& ConversationTurns::changes(const std::string& conversation) {
  return changes_.at(std::hash<std::string>{}(conversation) % kPlaces);
}

// Nothing but a clear answer counts. A start that was promised and that the engine does not know yet is open.
bool ConversationTurns::is_over(const std::string& run) const {
  if (engine_ == nullptr) return false;
  const auto described = engine_->workflow(run).describe();
  if (described) {
    return described->workflow_type != kWorkflowType || is_closed(described->status);
  }
  if (described.error().code() != Code::kNotFound) return false;
  const auto stored = store_->run(run);
  return stored ? stored->started_at.has_value() : stored.error().code() == Code::kNotFound;
}

std::string ConversationTurns::before(const std::string& conversation, const std::string& run,
                                      platform::Turn& turn) {
  for (int cleared = 0;; ++cleared) {
    turn = require(store_->take_turn(conversation, run), "the line of the conversation");
    if (turn.first == run) break;
    if (cleared >= kMaxCleared || !is_over(turn.first)) return turn.first;
    require(store_->leave_turn(turn.first), "the line of the conversation");
  }
  return turn.behind_owner && !is_over(conversation) ? conversation : std::string();
}

void ConversationTurns::take(activity::Context& ctx, const std::string& conversation, const std::string& run,
                             const std::function<void(const std::string& behind)>& waits) {
  const std::uint64_t seen = changes(conversation);
  platform::Turn turn;
  const std::string behind = before(conversation, run, turn);
  if (behind.empty()) return;
  waits(behind);
  milliseconds pause = pause_of(ctx.info().attempt, turn.ahead);
  if (turn.ahead <= 1 && waiting_here_.fetch_add(1) < kMaxWaitingHere) {
    // Not taken here: whether the run is still there to take it is for the engine to say.
    if (wait_here(ctx, conversation, seen, turn.behind_owner)) pause = milliseconds(1);
  }
  if (turn.ahead <= 1) --waiting_here_;
  throw_busy(conversation, behind, pause);
}

// True when something has changed. That the run which the conversation is named after is over, the engine
// alone says.
bool ConversationTurns::wait_here(activity::Context& ctx, const std::string& conversation, std::uint64_t seen,
                                  bool behind_owner) {
  int looks = 0;
  for (milliseconds waited{0}; waited < kWaitHere; waited += kLook) {
    if (ctx.sleep(kLook)) return false;
    if (changes(conversation) != seen) return true;
    if (behind_owner && ++looks % kLooksPerQuestion == 0 && is_over(conversation)) return true;
  }
  return false;
}

// ---- lines of a key

bool ConversationTurns::clear(const platform::FlowTurn& turn, std::int32_t attempt) {
  if (turn.blockers.empty()) return false;
  bool cleared = false;
  const std::size_t count = std::min<std::size_t>(turn.blockers.size(), kMaxAsked);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& run =
        turn.blockers[(static_cast<std::size_t>(attempt) * kMaxAsked + i) % turn.blockers.size()];
    if (!is_over(run)) continue;
    require(store_->leave_flow(run), "the line of the key");
    cleared = true;
  }
  return cleared;
}

void ConversationTurns::end_others(const platform::FlowTurn& turn) {
  if (engine_ == nullptr) return;
  for (const platform::FlowRow& other : turn.stands_for) {
    // One that is not cancelled now asks for itself.
    (void)engine_->workflow(other.place.run)
        .cancel(fmt::format("{}: see the run {}", to_string(other.state), other.into),
                "flow-" + other.place.run);
  }
}

void ConversationTurns::end_superseded(const platform::FlowTurn& turn) {
  const platform::FlowRow& row = turn.row;
  const std::string why = fmt::format("{}: see the run {}", to_string(row.state), row.into);
  if (engine_ == nullptr || !engine_->workflow(row.place.run).cancel(why, "flow-" + row.place.run).ok())
    throw ApplicationFailure::non_retryable(why, kSupersededType);
  throw ApplicationFailure(why, kSupersededType, false, {}, kLongestPauseOfNext);  // until that arrives
}

platform::FlowTurn ConversationTurns::take_flow(activity::Context& ctx, const platform::FlowPlace& place,
                                                WallTime now,
                                                const std::function<void(const platform::FlowTurn&)>& tell) {
  const std::uint64_t seen = changes(place.line);
  const std::int32_t attempt = ctx.info().attempt;
  platform::FlowTurn turn;
  for (int cleared = 0; cleared < kMaxCleared; ++cleared) {
    auto taken = store_->take_flow(place);
    if (!taken && !platform::flow_refusal(taken.error()).empty())
      throw ApplicationFailure::non_retryable(taken.error().message(), kFlowLimitedType);
    turn = require(std::move(taken), "the line of the key");
    if (turn.row.state != platform::FlowState::kWaiting || !clear(turn, attempt)) break;
  }
  tell(turn);
  if (turn.row.state == platform::FlowState::kRunning) {
    end_others(turn);
    return turn;
  }
  if (turn.row.state != platform::FlowState::kWaiting) end_superseded(turn);
  if (attempt == 1) end_others(turn);
  milliseconds pause = pause_of(attempt, turn.ahead);
  // A time is waited for; those who are taken along by another one are told by it.
  if (turn.until) {
    pause = std::max(milliseconds(1), std::chrono::ceil<milliseconds>(*turn.until - now));
    if (turn.ahead > 0) pause += kFirstPause;
  } else if (turn.ahead <= 1) {
    if (waiting_here_.fetch_add(1) < kMaxWaitingHere && wait_here(ctx, place.line, seen, false))
      pause = milliseconds(1);
    --waiting_here_;
  }
  throw ApplicationFailure(
      fmt::format("waits for its turn with the key '{}' ({})", place.key, to_string(turn.wait)),
      kFlowBusyType, false, {}, pause);
}

void ConversationTurns::leave(const std::string& run, const std::string& conversation) {
  const std::string left = require(store_->leave_turn(run), "the line of the conversation");
  for (const std::string* one : {&run, &conversation, &left}) {
    if (!one->empty()) ++changes(*one);
  }
  const std::string line = require(store_->leave_flow(run), "the line of the key");
  if (!line.empty()) ++changes(line);
}

}  // namespace holdfast::agent
