// A question to a person, as the workflow sees it: the request goes into the approvals index, then the
// `decide` update races a durable timer. The validator lets exactly one decision in; whoever comes later is
// told so.

#include <utility>

#include <fmt/format.h>

#include "agent/bookkeeping.h"
#include "agent/loop.h"
#include "agent/workflow_tool.h"
#include "base/json.h"
#include "protocol/names.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

std::string by_whom(const Decision& decision) {
  std::string out = decision.decided_by.empty() ? "a person" : decision.decided_by;
  return decision.comment.empty() ? out : out + ": " + decision.comment;
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
  if (!edited && !rejected && question == Question::kFirst && says_itself(*call)) {
    settling_[call->call.step] = pending;
    co_return std::nullopt;
  }
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

Task<PendingPtr> Loop::ask(PlannedCall planned, std::string reason, std::string id, Question question,
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
  SettleInput in = settlement_of(*pending, outcome, now_ms());
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  in.call = std::move(call);
  auto recording = ctx_.activity<Settled>(kSettleApprovalActivity, bookkeeping(), in);
  Settled settled = co_await ctx_.shielded(std::move(recording));
  Json told = {{"approval", in.id}, {"tool", in.call.tool}};
  if (notifies(NotifyEvent::kDecided))
    co_await notify(NotifyEvent::kDecided, in.id + ".decided", std::move(told));
  co_return settled;
}

// Its activity writes how it was decided together with its intent: one sync, and no activity for it alone.
// What is made by the workflow, or in an activity that changes nothing, has no such place.
bool Loop::says_itself(const PlannedCall& call) const {
  return (progress_.plan.flags & kSettlesFlag) != 0 && call.verdict == Verdict::kAsk && !call.detached &&
         !is_pure(call) && !find_workflow_tool(call.kind) && !notifies(NotifyEvent::kDecided);
}

ApprovedCall Loop::approved_call(const ToolInput& tool) {
  ApprovedCall out;
  out.tool = tool;
  out.settles = settlement_of(*settling_.at(tool.call.step), ApprovalOutcome::kApproved, now_ms());
  out.settles.agent = tool.agent;
  out.settles.version = tool.version;
  out.settles.call = tool.call;
  return out;
}

// Of a call that is approved, and not made after all or not now.
Task<void> Loop::settle_alone(CallRef call) {
  PendingPtr pending = settling_.at(call.step);
  co_await settle(pending, ApprovalOutcome::kApproved, call);
  settled_with(call);
}

void Loop::settled_with(const CallRef& call) {
  pending_.erase(settling_.at(call.step)->request.id);
  settling_.erase(call.step);
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
  agent::check_decision(pending_, decision, progress_.plan.decision_key, now_ms());
  check_scope(*pending_.at(decision.approval), decision);
}

Json Loop::decide(const Decision& decision) {
  // Decisions that arrive together may all be validated before the first is handled: whoever is handled first
  // has won.
  check_decision(decision);
  return take_decision(*pending_.at(decision.approval), decision, now_ms());
}

}  // namespace holdfast::agent
