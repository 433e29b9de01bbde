#pragma once

// What a run knows of its policy: on which terms people decide, which calls were made before, and what a
// person allowed for the rest of it. These stand in histories (protocol/run.h says how they may change).
//
// Values; see protocol/call.h for how reading fails.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/call.h"

namespace holdfast::protocol {

inline constexpr const char* kJudgeActivity = "agent.policy.judge";
inline constexpr const char* kNoteApprovalActivity = "agent.approval.note";
// A decision that is refused because of who decides.
inline constexpr const char* kDecisionNotAllowed = "DecisionNotAllowed";

// Of DecisionTerms::on_expiry: what silence means.
inline constexpr const char* kExpiryFails = "fail";
// Of Decision::scope: later calls of the same tool that the same rule asks about are made, too.
inline constexpr const char* kScopeRun = "run";

// When nobody has decided so long after the question, these may as well.
struct Escalation {
  Escalation() = default;
  std::int64_t after_ms = 0;
  std::vector<std::string> to;
};

// Who decides, and how many have to.
struct DecisionTerms {
  DecisionTerms() = default;
  int quorum = 1;
  std::vector<std::string> who;      // roles, or "user:NAME"; none: whoever may decide at all
  bool four_eyes = false;            // not whoever started the run
  std::string requester;             // who did; empty: that is not known
  std::vector<Escalation> escalate;  // in the order of their times
  std::string on_expiry;             // kExpiryFails, or empty: PlannedCall::approve_on_expiry says
};

// Whoever decides as "link:NAME" or "link:NAME/slack" is NAME, and no second person.
std::string person_of(const std::string& decided_by);

// "roles" or "user:NAME" of whoever decides is among those that are let in.
bool is_among(const std::vector<std::string>& who, const std::vector<std::string>& roles,
              const std::string& name);

// A call that this run has made, for rules that look at it. Its arguments stand in the conversation.
struct PastCall {
  PastCall() = default;
  std::string tool;
  std::uint32_t step = 0;
  std::uint64_t sequence = 0;  // of the message, in the conversation up to the call that is judged
  std::uint32_t ordinal = 0;
  std::string approval;  // edited arguments are there
  Json bound;
  std::int64_t at_ms = 0;     // when it was begun
  std::int64_t ended_ms = 0;  // 0: it is under way
  bool ok = false;            // it ended well
  std::string round;          // CallRef::round and ::place: code has made it
  std::uint32_t place = 0;
};
// So many bytes of them a run takes along; the oldest are forgotten first, and that is known.
inline constexpr std::size_t kMaxPastBytes = 24 * 1024;
std::size_t bytes_of(const PastCall& call);

// "Allow for this run."
struct RunAllowance {
  RunAllowance() = default;
  std::string tool;
  std::string rule;
  std::string approval;  // where it was said
  std::string by;
};
inline constexpr std::size_t kMaxAllowances = 64;

// One approval of several that are needed.
struct Vote {
  Vote() = default;
  std::string by;
  std::int64_t at_ms = 0;
};

// ---- kNoteApprovalActivity: what happens to a question before it is decided, or instead of it

struct ApprovalNote {
  ApprovalNote() = default;
  std::string id;
  std::uint32_t n = 0;  // the how manieth of this question, from 1
  CallRef call;
  std::string rule;
  std::vector<Vote> votes;
  int need = 0;
  int level = 0;                // of the escalation that has been reached
  std::vector<std::string> to;  // who may decide since then
  std::string allowed_by;       // nobody was asked: this person had allowed it for the run
};

void to_json(Json& out, const Escalation& value);
void from_json(const Json& in, Escalation& value);
void to_json(Json& out, const DecisionTerms& value);
void from_json(const Json& in, DecisionTerms& value);
void to_json(Json& out, const PastCall& value);
void from_json(const Json& in, PastCall& value);
void to_json(Json& out, const RunAllowance& value);
void from_json(const Json& in, RunAllowance& value);
void to_json(Json& out, const Vote& value);
void from_json(const Json& in, Vote& value);
void to_json(Json& out, const ApprovalNote& value);
void from_json(const Json& in, ApprovalNote& value);

// What is known of a question besides its row: step records of the platform store.
std::string terms_key(const std::string& approval);
std::string note_key(const std::string& approval, std::uint32_t n);
std::string scope_key(const std::string& update_id);

}  // namespace holdfast::protocol
