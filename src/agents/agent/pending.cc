#include "agent/pending.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"
#include "holdfast/failure.h"
#include "protocol/decision_signature.h"
#include "protocol/names.h"

namespace holdfast::agent {

using namespace protocol;

namespace {

[[noreturn]] void reject(const char* type, const std::string& why) {
  throw ApplicationFailure::non_retryable(why, type);
}

std::string names_of(const std::vector<Vote>& votes) {
  std::string out;
  for (const Vote& vote : votes) out += (out.empty() ? "" : ", ") + vote.by;
  return out;
}

}  // namespace

void check_decision(const OpenQuestions& open, const Decision& decision, const std::string& key,
                    std::int64_t now_ms) {
  auto found = open.find(decision.approval);
  if (found == open.end()) {
    reject(kApprovalNotFound,
           fmt::format("this run is not waiting for the approval `{}`; it may be decided already",
                       decision.approval));
  }
  const Pending& pending = *found->second;
  // Runs that began before decisions were signed have no key.
  if (!key.empty()) {
    if (const Status forged = verify(decision, key, now_ms); !forged.ok())
      reject(kDecisionNotSigned, forged.message());
  }
  if (pending.decision) {
    const std::string& who = pending.decision->decided_by;
    reject(kApprovalDecided,
           fmt::format("decided already ({}{})", to_string(pending.decision->decision.value()),
                       who.empty() ? "" : " by " + who));
  }
  if (pending.closed || now_ms >= pending.request.expires_at_ms) {
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
}

Json take_decision(Pending& pending, const Decision& decision, std::int64_t now_ms) {
  Json answer = {{"approval", decision.approval}, {"decision", decision.decision.value()}};
  const int need = pending.request.terms ? pending.request.terms->quorum : 1;
  if (decision.decision == DecisionKind::kApprove && need > 1) {
    Vote vote;
    vote.by = decision.decided_by;
    vote.at_ms = now_ms;
    pending.votes.push_back(std::move(vote));
    answer["have"] = pending.votes.size();
    answer["need"] = need;
    if (std::cmp_less(pending.votes.size(), need)) return answer;
  }
  pending.decision = decision;
  pending.decided_at_ms = now_ms;
  return answer;
}

std::string approval_id(const std::string& key) {
  return "ap-" + key.substr(0, 24);
}

Json told_of(const std::string& id, const Pending& pending) {
  return {{"id", id},
          {"tool", pending.request.call.tool},
          {"step", pending.request.call.step},
          {"arguments_sha256", pending.request.arguments_sha256},
          {"reason", pending.request.reason},
          {"expires_at_ms", pending.request.expires_at_ms}};
}

Json told_of(const OpenQuestions& open) {
  Json out = Json::array();
  for (const auto& [id, pending] : open) {
    if (!pending->decision && !pending->closed) out.push_back(told_of(id, *pending));
  }
  return out;
}

SettleInput settlement_of(const Pending& pending, ApprovalOutcome outcome, std::int64_t now_ms) {
  SettleInput in;
  in.id = pending.request.id;
  in.outcome = outcome;
  in.decided_at_ms = now_ms;
  if (!pending.decision) return in;
  in.decided_at_ms = pending.decided_at_ms;
  in.decided_by = pending.decision->decided_by;
  in.comment = pending.decision->comment;
  in.scope = pending.decision->scope;
  if (pending.votes.size() > 1) in.votes = pending.votes;
  if (outcome == ApprovalOutcome::kApproved && in.votes.size() > 1) in.decided_by = names_of(in.votes);
  if (in.outcome == ApprovalOutcome::kEdited || in.outcome == ApprovalOutcome::kAnswered)
    in.edited_arguments = dump_json(pending.decision->edited_arguments);
  return in;
}

}  // namespace holdfast::agent
