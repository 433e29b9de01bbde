#include "platform/approval_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "base/sha256.h"

namespace holdfast::platform::rules {

namespace {

constexpr std::string_view kApprovalCounted = "approval.counted";

// A question is answered or declined, a call approved, edited or rejected.
Status unfit(const Approval& approval, const DecisionAttempt& attempt) {
  if (attempt.decision == ApprovalStatus::kRejected) return {};
  const bool answered = attempt.decision == ApprovalStatus::kAnswered;
  if (answered == !approval.question.empty()) return {};
  return {Code::kFailedPrecondition,
          answered ? fmt::format("approval {} asks no question: approve, edit or reject it", approval.id)
                   : fmt::format("approval {} asks a question: answer it, or reject it with the reason",
                                 approval.id)};
}

// Why the attempt cannot be sent; OK when it can.
Status refusal(const Approval& approval, const DecisionAttempt& attempt, WallTime now) {
  if (approval.status != ApprovalStatus::kPending) {
    const std::string_view status = to_string(approval.status);
    return {Code::kFailedPrecondition,
            approval.decided_by.empty()
                ? fmt::format("approval {} is already {}", approval.id, status)
                : fmt::format("approval {} is already {} by {}", approval.id, status, approval.decided_by)};
  }
  if (approval.expires_at && *approval.expires_at <= now) {
    return {Code::kFailedPrecondition, fmt::format("approval {} has expired", approval.id)};
  }
  if (const Status other = unfit(approval, attempt); !other.ok()) return other;
  if (!attempt.arguments_sha256.empty() && attempt.arguments_sha256 != approval.arguments_sha256) {
    return {
        Code::kFailedPrecondition,
        fmt::format("approval {} is about other arguments than the decision: read it again", approval.id)};
  }
  return {};
}

AuditRow audit_of(const DecisionAttempt& attempt, std::string_view action, std::string_view why,
                  WallTime now) {
  nlohmann::ordered_json detail = {{"update_id", attempt.update_id},
                                   {"decision", to_string(attempt.decision)}};
  if (!why.empty()) detail["why"] = why;
  AuditRow row;
  row.at = now;
  row.actor = attempt.decided_by;
  row.action = action;
  row.subject = attempt.approval;
  row.detail = dump_json(detail);
  return row;
}

// The row with an outcome, which only a question that waits can get.
Change<Approval> decided(const Approval& stored, const Approval& outcome) {
  if (stored.status != ApprovalStatus::kPending) return {stored, Write::kNothing};
  Approval row = stored;
  row.status = outcome.status;
  row.decided_by = outcome.decided_by;
  row.decided_at = outcome.decided_at;
  row.comment = outcome.comment;
  row.edited_arguments = outcome.edited_arguments;
  return {std::move(row), Write::kUpdate};
}

}  // namespace

Status check_approval(const Approval& wanted) {
  if (Status status = check_name("an approval", wanted.id); !status.ok()) return status;
  if (Status status = check_body("the arguments of an approval", wanted.arguments); !status.ok())
    return status;
  if (Status status = check_body("the question of an approval", wanted.question); !status.ok()) return status;
  if (wanted.arguments_sha256.empty() || wanted.arguments_sha256 == sha256_hex(wanted.arguments)) return {};
  return {Code::kInvalidArgument,
          fmt::format("approval {}: the hash is not that of the arguments", wanted.id)};
}

Result<Change<Approval>> request_approval(const Approval& wanted, const std::optional<Approval>& stored,
                                          WallTime now) {
  Approval row = wanted;
  row.arguments_sha256 = sha256_hex(wanted.arguments);
  if (stored) {
    if (stored->run == row.run && stored->tool == row.tool &&
        stored->arguments_sha256 == row.arguments_sha256) {
      return Change<Approval>{*stored};
    }
    return fail(Code::kAlreadyExists, fmt::format("approval {} asks about another call", row.id));
  }
  row.status = ApprovalStatus::kPending;
  row.decided_by.clear();
  row.decided_at.reset();
  row.comment.clear();
  row.edited_arguments.clear();
  if (row.requested_at == WallTime{}) row.requested_at = now;
  return Change<Approval>{std::move(row), Write::kInsert};
}

std::vector<AskedRow> asked_rows(const Audience& audience, WallTime requested_at) {
  std::map<std::string, std::int64_t> earliest;
  for (const Asked& one : audience.asked) {
    const auto [at, is_new] = earliest.try_emplace(one.word, one.after_ms);
    if (!is_new) at->second = std::min(at->second, one.after_ms);
  }
  if (earliest.empty()) earliest.emplace("", 0);
  std::vector<AskedRow> out;
  for (const auto& [word, after_ms] : earliest)
    out.push_back({word, requested_at + std::chrono::milliseconds(after_ms)});
  return out;
}

Status check_attempt(const DecisionAttempt& attempt) {
  if (Status status = check_name("an update", attempt.update_id); !status.ok()) return status;
  if (attempt.decision == ApprovalStatus::kPending || attempt.decision == ApprovalStatus::kExpired) {
    return {Code::kInvalidArgument, "a decision is approved, rejected, edited or answered"};
  }
  const bool says_more =
      attempt.decision == ApprovalStatus::kEdited || attempt.decision == ApprovalStatus::kAnswered;
  if (says_more == attempt.edited_arguments.empty()) {
    return {Code::kInvalidArgument,
            "an edit needs the new arguments and an answer what it says, and no other has such"};
  }
  return check_body("the edited arguments", attempt.edited_arguments);
}

Result<Admission> admit_decision(const DecisionAttempt& attempt, const Approval& approval,
                                 const std::optional<StoredDecision>& before, WallTime now) {
  Admission out;
  if (before) {
    const DecisionAttempt& stored = before->attempt;
    if (stored.approval == attempt.approval && stored.decision == attempt.decision &&
        stored.edited_arguments == attempt.edited_arguments) {
      return out;
    }
    return fail(Code::kAlreadyExists, fmt::format("update {} is another decision", attempt.update_id));
  }
  out.refused = refusal(approval, attempt, now);
  if (out.refused.ok()) {
    out.attempt = attempt;
    out.attempt->at = now;
  } else {
    out.audit = audit_of(attempt, kApprovalLost, out.refused.message(), now);
  }
  return out;
}

std::optional<Finish> finish_decision(const StoredDecision& decision, const Approval& approval, bool won,
                                      std::string_view why, WallTime now) {
  if (decision.answer != DecisionAnswer::kNone) return std::nullopt;
  const DecisionAttempt& attempt = decision.attempt;
  if (!won) {
    return Finish{DecisionAnswer::kLost, {approval}, audit_of(attempt, kApprovalLost, why, now)};
  }
  // One of several that are needed: the run goes on asking.
  if (!why.empty())
    return Finish{DecisionAnswer::kWon, {approval}, audit_of(attempt, kApprovalCounted, why, now)};
  Approval outcome;
  outcome.status = attempt.decision;
  outcome.decided_by = attempt.decided_by;
  outcome.decided_at = attempt.at;
  outcome.comment = attempt.comment;
  outcome.edited_arguments = attempt.edited_arguments;
  return Finish{DecisionAnswer::kWon, decided(approval, outcome),
                audit_of(attempt, kApprovalDecided, {}, now)};
}

Status check_outcome(const Approval& outcome) {
  if (outcome.status != ApprovalStatus::kPending) return {};
  return {Code::kInvalidArgument, "an outcome is approved, rejected, edited or expired"};
}

Result<Change<Approval>> settle_approval(const Approval& stored, const Approval& outcome, WallTime now) {
  if (stored.status != ApprovalStatus::kPending) {
    if (stored.status == outcome.status && stored.edited_arguments == outcome.edited_arguments)
      return Change<Approval>{stored};
    return fail(Code::kFailedPrecondition,
                fmt::format("approval {} is already {}", stored.id, to_string(stored.status)));
  }
  Approval row = outcome;
  if (!row.decided_at) row.decided_at = now;
  return decided(stored, row);
}

}  // namespace holdfast::platform::rules
