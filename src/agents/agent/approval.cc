// A question to a person, as the workflow sees it: the request goes into the approvals index, then the
// `decide` update races a durable timer. The validator lets exactly one decision in; whoever comes later is
// told so.

#include <utility>

#include <fmt/format.h>

#include "agent/bookkeeping.h"
#include "agent/loop.h"
#include "base/json.h"
#include "protocol/decision_signature.h"
#include "protocol/names.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

[[noreturn]] void reject(const char* type, const std::string& why) {
  throw ApplicationFailure::non_retryable(why, type);
}

std::string by_whom(const Decision& decision) {
  std::string out = decision.decided_by.empty() ? "a person" : decision.decided_by;
  return decision.comment.empty() ? out : out + ": " + decision.comment;
}

std::string names_of(const std::vector<Vote>& votes) {
  std::string out;
  for (const Vote& vote : votes) out += (out.empty() ? "" : ", ") + vote.by;
  return out;
}

}  // namespace

Task<std::optional<std::string>> Loop::approved(std::shared_ptr<PlannedCall> call, std::string reason,
                                                std::string id, Question question) {
  if (const RunAllowance* allowance = question == Question::kFirst ? allowance_of(*call) : nullptr) {
    co_await apply_allowance(call, RunAllowance(*allowance));
    co_return std::nullopt;
  }
  PendingPtr pending = co_await ask(*call, reason, id, question);
  if (pending->request.terms) {
    co_await until_decided(pending);
  } else {
    auto has_decision = [pending] { return pending->decision.has_value(); };  // or a message withdrew it
    const std::int64_t left_ms = std::max<std::int64_t>(0, pending->request.expires_at_ms - now_ms());
    co_await ctx_.wait_for(has_decision, milliseconds(left_ms));
  }
  if (!pending->decision) {
    pending->closed = true;
    co_await settle(pending, ApprovalOutcome::kExpired, call->call);
    pending_.erase(id);
    if (may_go_on_unanswered(*call, question)) co_return std::nullopt;
    if (question == Question::kFirst && call->terms && call->terms->on_expiry == kExpiryFails) {
      throw ApplicationFailure::non_retryable(
          fmt::format("nobody approved `{}` in time ({})", call->call.tool, pending->request.reason),
          "ApprovalExpiredError");
    }
    if (question == Question::kAgain) co_return "nobody decided in time, so it was not called again";
    co_return fmt::format("nobody approved the call in time, so it was not made ({})",
                          pending->request.reason);
  }
  const Decision decision = *pending->decision;
  const bool edited = decision.decision == DecisionKind::kEdit;
  const bool rejected = decision.decision == DecisionKind::kReject;
  if (decision.decision == DecisionKind::kApprove && decision.scope == kScopeRun) allow_for_run(*pending);
  Settled settled = co_await settle(pending,
                                    rejected ? ApprovalOutcome::kRejected
                                    : edited ? ApprovalOutcome::kEdited
                                             : ApprovalOutcome::kApproved,
                                    call->call);
  pending_.erase(id);
  if (rejected && progress_.plan.stop_on_reject && question == Question::kFirst && !interrupted_) {
    throw ApplicationFailure::non_retryable(
        fmt::format("`{}` was rejected by {}", call->call.tool, by_whom(decision)), "ApprovalRejectedError");
  }
  if (rejected) co_return "rejected by " + by_whom(decision);
  if (edited) {
    if (settled.verdict != Verdict::kAllow)
      co_return fmt::format("{}: {}", to_string(settled.verdict.value()), settled.reason);
    call->call.approval = id;
    call->call.key = settled.key;
    // Absent from what an earlier version recorded.
    if (!settled.arguments_sha256.empty()) call->arguments_sha256 = settled.arguments_sha256;
    if (!settled.input.is_null()) call->input = settled.input;
  }
  co_return std::nullopt;
}

// `on_expiry: approve` is about calls that were not made yet: silence never repeats one that may have
// happened.
bool Loop::may_go_on_unanswered(const PlannedCall& call, Question question) {
  if (!call.approve_on_expiry || question == Question::kFirst) return call.approve_on_expiry;
  return !ctx_.patched("silence-repeats-no-call");  // earlier versions did call again
}

Task<Loop::PendingPtr> Loop::ask(PlannedCall planned, std::string reason, std::string id, Question question,
                                 Json asked) {
  auto pending = std::make_shared<Pending>();
  pending->again = question == Question::kAgain;
  pending->asked_ms = now_ms();
  ApprovalInput& in = pending->request;
  in.id = id;
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  in.call = planned.call;
  in.arguments_sha256 = planned.arguments_sha256;
  in.reason = std::move(reason);
  in.question = std::move(asked);
  in.expires_at_ms = now_ms() + planned.expires_after_ms;
  in.rule = planned.rule;
  in.terms = planned.terms;
  pending_[id] = pending;
  calls_[planned.call.step] = planned.call.tool + ": waiting for approval";
  // Not cut short by a cancellation: what follows relies on the entry being there.
  auto recording = ctx_.activity<void>(kRequestApprovalActivity, bookkeeping(), in);
  try {
    co_await ctx_.shielded(std::move(recording));
  } catch (...) {
    pending_.erase(in.id);  // nobody was asked: there is nothing to decide
    throw;
  }
  Json told = {{"approval", id}, {"tool", planned.call.tool}, {"reason", in.reason}};
  if (notifies(NotifyEvent::kApproval)) co_await notify(NotifyEvent::kApproval, id, std::move(told));
  co_return pending;
}

Task<Settled> Loop::settle(PendingPtr pending, ApprovalOutcome outcome, CallRef call) {
  SettleInput in;
  in.id = pending->request.id;
  in.outcome = outcome;
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  in.call = std::move(call);
  in.decided_at_ms = now_ms();
  if (pending->decision) {
    in.decided_at_ms = pending->decided_at_ms;
    in.decided_by = pending->decision->decided_by;
    in.comment = pending->decision->comment;
    in.scope = pending->decision->scope;
    if (pending->votes.size() > 1) in.votes = pending->votes;
    if (outcome == ApprovalOutcome::kApproved && in.votes.size() > 1) in.decided_by = names_of(in.votes);
    if (in.outcome == ApprovalOutcome::kEdited || in.outcome == ApprovalOutcome::kAnswered)
      in.edited_arguments = dump_json(pending->decision->edited_arguments);
  }
  auto recording = ctx_.activity<Settled>(kSettleApprovalActivity, bookkeeping(), in);
  Settled settled = co_await ctx_.shielded(std::move(recording));
  Json told = {{"approval", in.id}, {"tool", in.call.tool}};
  if (notifies(NotifyEvent::kDecided))
    co_await notify(NotifyEvent::kDecided, in.id + ".decided", std::move(told));
  co_return settled;
}

// Somebody made the question pointless: with a message, or because he knows the answer.
void Loop::withdraw(Pending& pending, const std::string& by) {
  if (pending.decision || pending.closed) return;
  Decision decision;
  decision.approval = pending.request.id;
  decision.decision = DecisionKind::kReject;
  decision.decided_by = by;
  pending.decision = std::move(decision);
  pending.decided_at_ms = now_ms();
}

// The validator: it changes nothing.
void Loop::check_decision(const Decision& decision) const {
  auto found = pending_.find(decision.approval);
  if (found == pending_.end()) {
    reject(kApprovalNotFound,
           fmt::format("this run is not waiting for the approval `{}`; it may be decided already",
                       decision.approval));
  }
  const Pending& pending = *found->second;
  // Runs that began before decisions were signed have no key.
  if (const std::string& key = progress_.plan.decision_key; !key.empty()) {
    if (const Status forged = verify(decision, key, now_ms()); !forged.ok())
      reject(kDecisionNotSigned, forged.message());
  }
  if (pending.decision) {
    const std::string& who = pending.decision->decided_by;
    reject(kApprovalDecided,
           fmt::format("decided already ({}{})", to_string(pending.decision->decision.value()),
                       who.empty() ? "" : " by " + who));
  }
  if (pending.closed || now_ms() >= pending.request.expires_at_ms) {
    reject(kApprovalExpired, "the time for this decision is over");
  }
  // Left out is fine: the id of an approval is made from the very arguments.
  if (!decision.arguments_sha256.empty() && decision.arguments_sha256 != pending.request.arguments_sha256) {
    reject(kApprovalMismatch,
           "`arguments_sha256` is not the hash of the arguments this approval asks about; look at "
           "the request again");
  }
  if (!decision.decision) {
    reject(kInvalidDecision, fmt::format("`{}` is no decision; use approve, reject, edit or answer",
                                         decision.unknown_decision));
  }
  if (decision.decision == DecisionKind::kEdit && !decision.edited_arguments.is_object()) {
    reject(kInvalidDecision, "`edit` needs `edited_arguments`, a JSON object with all arguments of the call");
  }
  check_decider(pending, decision);
  check_scope(pending, decision);
}

Json Loop::decide(const Decision& decision) {
  // Decisions that arrive together may all be validated before the first is handled: whoever is handled first
  // has won.
  check_decision(decision);
  PendingPtr pending = pending_.at(decision.approval);
  Json answer = {{"approval", decision.approval}, {"decision", decision.decision.value()}};
  const int need = pending->request.terms ? pending->request.terms->quorum : 1;
  if (decision.decision == DecisionKind::kApprove && need > 1) {
    Vote vote;
    vote.by = decision.decided_by;
    vote.at_ms = now_ms();
    pending->votes.push_back(std::move(vote));
    answer["have"] = pending->votes.size();
    answer["need"] = need;
    if (std::cmp_less(pending->votes.size(), need)) return answer;
  }
  pending->decision = decision;
  pending->decided_at_ms = now_ms();
  return answer;
}

}  // namespace holdfast::agent
