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

void ConversationTurns::leave(const std::string& run, const std::string& conversation) {
  const std::string left = require(store_->leave_turn(run), "the line of the conversation");
  for (const std::string* one : {&run, &conversation, &left}) {
    if (!one->empty()) ++changes(*one);
  }
}

}  // namespace holdfast::agent
