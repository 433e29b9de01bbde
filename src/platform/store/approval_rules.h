#pragma once

// Rules of approvals (platform/rules.h): the workflow decides who wins; the store remembers what was asked,
// every attempt to answer, and the outcome.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/inbox.h"
#include "platform/records.h"
#include "platform/rules.h"

namespace holdfast::platform::rules {

Status check_approval(const Approval& wanted);
// The same question gives the stored row; another one under its id is ALREADY_EXISTS.
Result<Change<Approval>> request_approval(const Approval& wanted, const std::optional<Approval>& stored,
                                          WallTime now);

// What the workflow said to an attempt. The numbers are stored.
enum class DecisionAnswer : std::uint8_t { kNone = 0, kWon = 1, kLost = 2 };
struct StoredDecision {
  DecisionAttempt attempt;
  DecisionAnswer answer = DecisionAnswer::kNone;
};

Status check_attempt(const DecisionAttempt& attempt);
// At most one of the two is there to be written. A refusal is an answer, not a failure: its audit row stays.
struct Admission {
  std::optional<DecisionAttempt> attempt;
  std::optional<AuditRow> audit;
  Status refused;
};
// ALREADY_EXISTS when `before`, of the same update id, is another decision.
Result<Admission> admit_decision(const DecisionAttempt& attempt, const Approval& approval,
                                 const std::optional<StoredDecision>& before, WallTime now);

struct Finish {
  DecisionAnswer answer = DecisionAnswer::kNone;
  Change<Approval> approval;
  AuditRow audit;
};
// None: the attempt has been answered, and nothing changes.
std::optional<Finish> finish_decision(const StoredDecision& decision, const Approval& approval, bool won,
                                      std::string_view why, WallTime now);

Status check_outcome(const Approval& outcome);
// What a request is found by: each word once, from its earliest time on.
struct AskedRow {
  std::string word;
  WallTime since{};
};
std::vector<AskedRow> asked_rows(const Audience& audience, WallTime requested_at);

// The outcome that is stored already changes nothing; another one is FAILED_PRECONDITION.
Result<Change<Approval>> settle_approval(const Approval& stored, const Approval& outcome, WallTime now);

}  // namespace holdfast::platform::rules
