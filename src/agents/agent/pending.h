#pragma once

// A question to people that a run waits with, and what they may say to it: the same for every workflow that
// asks. The workflow keeps the questions, records them and waits; what is here is pure.
//
// Whoever is refused gets an ApplicationFailure of one of the types beside kDecideUpdate (protocol/names.h).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/activities.h"
#include "protocol/decision.h"
#include "protocol/human_question.h"

namespace holdfast::agent {

// One that a person may decide now.
struct Pending {
  Pending() = default;
  protocol::ApprovalInput request;
  std::optional<protocol::Decision> decision;
  std::int64_t decided_at_ms = 0;
  bool closed = false;  // expired
  bool again = false;   // it is about a call that may have been made
  std::vector<protocol::Vote> votes;
  std::size_t told_votes = 0;
  int level = 0;  // of its escalation
  std::uint32_t notes = 0;
  std::int64_t asked_ms = 0;
};
using PendingPtr = std::shared_ptr<Pending>;
using OpenQuestions = std::map<std::string, PendingPtr>;  // by approval id

// The validator of a decision: it is signed by `key`, in time, the first, about this question, and of one who
// may decide it.
void check_decision(const OpenQuestions& open, const protocol::Decision& decision, const std::string& key,
                    std::int64_t now_ms);
// deciding.cc: who may decide, where the policy says so.
void check_decider(const Pending& pending, const protocol::Decision& decision);
// deciding.cc: what holds for the answer of the terms on which a question was allowed to be asked. One answer
// wins, so none are counted; silence is what the question says; and who has not started the run is not known
// where nobody knows who has. None: whoever the question asks may answer.
std::optional<protocol::DecisionTerms> terms_of_answer(std::optional<protocol::DecisionTerms> asking);
// question.cc: an answer is of the question's form. Of the validator alone: what it let in stays let in,
// whatever a later version thinks of the form.
void check_answer(const Pending& pending, const protocol::Decision& decision);

// What was let in becomes the decision, or one vote of it. What the update answers.
protocol::Json take_decision(Pending& pending, const protocol::Decision& decision, std::int64_t now_ms);

// Those that are open, as a query of the run tells them; of one.
protocol::Json told_of(const std::string& id, const Pending& pending);
protocol::Json told_of(const OpenQuestions& open);

// Under which the question whether a call may be made stands in the index of approvals.
std::string approval_id(const std::string& key);
// Under which a question of `type: human` stands in the index of approvals.
std::string question_id(const std::string& key);

// For the index of approvals; agent, version and call are the caller's to fill in.
protocol::SettleInput settlement_of(const Pending& pending, protocol::ApprovalOutcome outcome,
                                    std::int64_t now_ms);

// question.cc: what a question came to whose waiting is over. Without `error` there is an `answer`.
protocol::ApprovalOutcome outcome_of(const Pending& pending);
protocol::Json said_to(const Pending& pending, const protocol::HumanQuestion& question);

}  // namespace holdfast::agent
