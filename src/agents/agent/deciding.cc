// How many people decide about a call, who they are, and who else may after a while: of questions that have
// terms. Without them the first word of anybody decides (approval.cc).

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/bookkeeping.h"
#include "agent/loop.h"
#include "protocol/names.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

[[noreturn]] void reject(const char* type, const std::string& why) {
  throw ApplicationFailure::non_retryable(why, type);
}

}  // namespace

Task<void> Loop::until_decided(PendingPtr pending) {
  const std::int64_t expires_ms = pending->request.expires_at_ms;
  const std::vector<Escalation>& steps = pending->request.terms->escalate;
  while (!pending->decision && now_ms() < expires_ms) {
    const auto level = static_cast<std::size_t>(pending->level);
    const std::int64_t next_ms =
        level < steps.size() ? std::min(expires_ms, pending->asked_ms + steps[level].after_ms) : expires_ms;
    auto something = [pending] { return pending->decision || pending->votes.size() > pending->told_votes; };
    co_await ctx_.wait_for(something, milliseconds(std::max<std::int64_t>(0, next_ms - now_ms())));
    if (pending->decision) co_return;
    if (pending->votes.size() > pending->told_votes) {
      co_await note(pending, false);
    } else if (level < steps.size() && now_ms() >= next_ms && next_ms < expires_ms) {
      ++pending->level;
      co_await note(pending, true);
      Json told = {{"approval", pending->request.id},
                   {"tool", pending->request.call.tool},
                   {"reason", pending->request.reason},
                   {"escalated_to", steps[level].to}};
      const std::string what = fmt::format("{}/escalated/{}", pending->request.id, pending->level);
      if (notifies(NotifyEvent::kApproval)) co_await notify(NotifyEvent::kApproval, what, std::move(told));
    }
  }
}

// What others see of it: how many have approved, or who may decide as well.
Task<void> Loop::note(PendingPtr pending, bool escalated) {
  const DecisionTerms& terms = *pending->request.terms;
  ApprovalNote in;
  in.id = pending->request.id;
  in.n = ++pending->notes;
  in.call = pending->request.call;
  in.rule = pending->request.rule;
  in.votes = pending->votes;
  in.need = terms.quorum;
  in.level = pending->level;
  if (escalated) in.to = terms.escalate[static_cast<std::size_t>(pending->level) - 1].to;
  pending->told_votes = pending->votes.size();
  auto noting = ctx_.activity<void>(kNoteApprovalActivity, bookkeeping(), in);
  co_await ctx_.shielded(std::move(noting));
}

void check_decider(const Pending& pending, const Decision& decision) {
  const auto& terms = pending.request.terms;
  if (!terms) return;
  if (decision.decided_by.empty())
    reject(kDecisionNotAllowed, "this decision needs the name of whoever decides");
  const std::string person = protocol::person_of(decision.decided_by);
  bool may = terms->who.empty() || is_among(terms->who, decision.roles, person);
  std::string who = fmt::format("{}", fmt::join(terms->who, ", "));
  for (int level = 0; level < pending.level; ++level) {
    const auto& to = terms->escalate[static_cast<std::size_t>(level)].to;
    may = may || is_among(to, decision.roles, person);
    who += fmt::format(", {}", fmt::join(to, ", "));
  }
  if (!may)
    reject(kDecisionNotAllowed,
           fmt::format("{} may not decide this: it is for {}", decision.decided_by, who));
  if (decision.decision == DecisionKind::kReject) return;
  if (terms->four_eyes && person == terms->requester)
    reject(kDecisionNotAllowed,
           fmt::format("{} has started this run, and somebody else has to {}", person,
                       pending.request.question.is_null() ? "approve its calls" : "answer its questions"));
  if (terms->quorum > 1 && decision.decision == DecisionKind::kEdit)
    reject(kInvalidDecision,
           fmt::format("{} people have to approve the same arguments: approve, or reject with what is wrong",
                       terms->quorum));
  const auto same = [&](const Vote& vote) { return protocol::person_of(vote.by) == person; };
  if (std::ranges::any_of(pending.votes, same))
    reject(kApprovalDecided, fmt::format("{} has approved already; {} of {} have", person,
                                         pending.votes.size(), terms->quorum));
}

std::optional<DecisionTerms> terms_of_answer(std::optional<DecisionTerms> asking) {
  if (!asking) return std::nullopt;
  DecisionTerms& terms = *asking;
  terms.quorum = 1;
  terms.on_expiry.clear();
  if (terms.requester.empty()) terms.four_eyes = false;
  if (terms.who.empty() && !terms.four_eyes && terms.escalate.empty()) return std::nullopt;
  return asking;
}

void Loop::check_scope(const Pending& pending, const Decision& decision) const {
  if (decision.scope.empty()) return;
  if (decision.scope != kScopeRun)
    reject(kInvalidDecision, fmt::format("there is no scope `{}`; leave it out, or use run", decision.scope));
  if (decision.decision != DecisionKind::kApprove)
    reject(kInvalidDecision, "`scope` belongs to approve: what is allowed for the run");
  if (pending.request.rule.empty() || pending.again)
    reject(kInvalidDecision, "no rule asks this question, so its answer holds for this call alone");
  if (progress_.allowed.size() >= kMaxAllowances)
    reject(kInvalidDecision, fmt::format("{} things are allowed for this run already", kMaxAllowances));
}

// ---- allowed for the run

const RunAllowance* Loop::allowance_of(const PlannedCall& call) const {
  if (call.rule.empty()) return nullptr;
  const auto found = std::ranges::find_if(progress_.allowed, [&](const RunAllowance& one) {
    return one.tool == call.call.tool && one.rule == call.rule;
  });
  return found == progress_.allowed.end() ? nullptr : &*found;
}

Task<void> Loop::apply_allowance(std::shared_ptr<PlannedCall> call, RunAllowance allowance) {
  ApprovalNote in;
  in.id = allowance.approval;
  in.call = call->call;
  in.rule = allowance.rule;
  in.allowed_by = allowance.by;
  co_await ctx_.activity<void>(kNoteApprovalActivity, bookkeeping(), in);
}

void Loop::allow_for_run(const Pending& pending) {
  RunAllowance allowance;
  allowance.tool = pending.request.call.tool;
  allowance.rule = pending.request.rule;
  allowance.approval = pending.request.id;
  allowance.by = pending.decision->decided_by;
  progress_.allowed.push_back(std::move(allowance));
}

}  // namespace holdfast::agent
