#include "agent/undo_question.h"

#include <chrono>
#include <utility>

#include "agent/bookkeeping.h"
#include "holdfast/failure.h"
#include "protocol/names.h"

namespace holdfast::agent {

using namespace protocol;
using std::chrono::milliseconds;

namespace {

// Nobody is waited for longer.
constexpr milliseconds kLongestAsking = std::chrono::hours(24 * 7);

}  // namespace

void UndoQuestions::register_handler() {
  auto self = shared_from_this();
  ctx_.on_update(
      kDecideUpdate, [self](Decision decision) { return self->decide(decision); },
      [self](const Decision& decision) {
        self->check(decision);
        check_answer(*self->open_.at(decision.approval), decision);
      });
}

std::int64_t UndoQuestions::now_ms() const {
  return std::chrono::duration_cast<milliseconds>(ctx_.now().time_since_epoch()).count();
}

void UndoQuestions::check(const Decision& decision) const {
  check_decision(open_, decision, key_, now_ms());
  if (!decision.scope.empty() || decision.decision == DecisionKind::kEdit)
    throw ApplicationFailure::non_retryable(
        "what takes an effect back is the definition's word: approve to call it again, or reject to leave it",
        kInvalidDecision);
}

// Decisions that arrive together may all be validated before the first is handled: whoever is handled first
// has won.
Json UndoQuestions::decide(const Decision& decision) {
  check(decision);
  return take_decision(*open_.at(decision.approval), decision, now_ms());
}

Task<bool> UndoQuestions::ask(ApprovalInput in) {
  auto pending = std::make_shared<Pending>();
  pending->again = true;
  pending->asked_ms = now_ms();
  pending->request = std::move(in);
  pending->request.expires_at_ms = now_ms() + kLongestAsking.count();
  const std::string id = pending->request.id;
  open_[id] = pending;
  co_await ctx_.activity<void>(kRequestApprovalActivity, bookkeeping(), pending->request);
  auto over = [this, pending] { return pending->decision.has_value() || ctx_.workflow_cancelled(); };
  co_await ctx_.wait_for(over, kLongestAsking);
  pending->closed = !pending->decision.has_value();
  co_await settle(pending);
  open_.erase(id);
  co_return pending->decision && pending->decision->decision == DecisionKind::kApprove;
}

Task<void> UndoQuestions::settle(PendingPtr pending) {
  const bool approved = pending->decision && pending->decision->decision == DecisionKind::kApprove;
  const ApprovalOutcome outcome = approved            ? ApprovalOutcome::kApproved
                                  : pending->decision ? ApprovalOutcome::kRejected
                                                      : ApprovalOutcome::kExpired;
  SettleInput in = settlement_of(*pending, outcome, now_ms());
  in.agent = pending->request.agent;
  in.version = pending->request.version;
  in.call = pending->request.call;
  (void)co_await ctx_.activity<Settled>(kSettleApprovalActivity, bookkeeping(), in);
}

Json UndoQuestions::status() const {
  return told_of(open_);
}

}  // namespace holdfast::agent
