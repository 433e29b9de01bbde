// A person is asked by the run itself: `type: human`. The question stands in the inbox as approvals do, and
// the `decide` update that answers it races the deadline in the same way: one answer wins. What was answered
// is checked against the form where the update is let in, so that whoever answered wrongly is told at once.

#include <fmt/format.h>

#include "agent/bookkeeping.h"
#include "agent/loop.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "protocol/human_question.h"
#include "protocol/names.h"
#include "spec/json_schema.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

[[noreturn]] void reject(const std::string& why) {
  throw ApplicationFailure::non_retryable(why, kInvalidDecision);
}

Json answered(const Decision& decision) {
  Json out = {{"answer", decision.edited_arguments}, {"answered_by", decision.decided_by}};
  if (!decision.comment.empty()) out["comment"] = decision.comment;
  return out;
}

Json declined(const Decision& decision) {
  Json out = {{"error", "declined"}, {"by", decision.decided_by}};
  if (!decision.comment.empty()) out["reason"] = decision.comment;
  return out;
}

Json unanswered(const ApprovalInput& request, const HumanQuestion& question) {
  const std::string until = iso_time(WallTime(milliseconds(request.expires_at_ms)));
  if (!question.fallback.is_null())
    return {{"answer", question.fallback}, {"default", true}, {"nobody_answered_until", until}};
  return {{"error", "nobody_answered"}, {"until", until}};
}

}  // namespace

// None of the decisions of the other kind; and an answer is of the form.
void check_answer(const Pending& pending, const Decision& decision) {
  const Json& asked = pending.request.question;
  if (asked.is_null()) {
    if (decision.decision == DecisionKind::kAnswer)
      reject("nobody asks a question here: approve, reject or edit the call");
    return;
  }
  if (decision.decision == DecisionKind::kReject) return;
  if (decision.decision != DecisionKind::kAnswer)
    reject("this is a question: answer it, or reject it and say why");
  if (!decision.edited_arguments.is_object()) reject("`edited_arguments` is the answer, a JSON object");
  if (auto bad = spec::validate(asked.get<HumanQuestion>().form, decision.edited_arguments)) reject(*bad);
}

std::string question_id(const std::string& key) {
  return "q-" + key.substr(0, 24);
}

ApprovalOutcome outcome_of(const Pending& pending) {
  if (!pending.decision) return ApprovalOutcome::kExpired;
  return pending.decision->decision == DecisionKind::kAnswer ? ApprovalOutcome::kAnswered
                                                             : ApprovalOutcome::kRejected;
}

Json said_to(const Pending& pending, const HumanQuestion& question) {
  switch (outcome_of(pending)) {
    case ApprovalOutcome::kExpired: return unanswered(pending.request, question);
    case ApprovalOutcome::kAnswered: return answered(*pending.decision);
    default: return declined(*pending.decision);
  }
}

Task<bool> Loop::until_answered(PendingPtr pending) {
  co_await until_decided(pending);
  co_return pending->decision.has_value();
}

Task<ToolAnswer> Loop::ask_person(PlannedCall planned) {
  const HumanQuestion question = planned.input.get<HumanQuestion>();
  const std::string id = question_id(planned.call.key);
  StepInput step;
  step.call = planned.call;
  step.kind = planned.kind;
  step.details = {{"question", question.text}, {"approval", id}};
  co_await ctx_.activity<void>(kStepStartedActivity, bookkeeping(), step);
  planned.expires_after_ms = question.deadline_ms;
  planned.terms = terms_of_answer(std::move(planned.terms));
  // Earlier versions let nobody else in.
  if (planned.terms && !planned.terms->escalate.empty() && !ctx_.patched("questions-escalate"))
    planned.terms->escalate.clear();
  if (!planned.terms) planned.rule.clear();
  PendingPtr pending = co_await ask(planned, question.text, id, Question::kFirst, planned.input);
  calls_[planned.call.step] = planned.call.tool + ": waiting for an answer";
  auto has_decision = [pending] { return pending->decision.has_value(); };
  const std::int64_t left_ms = std::max<std::int64_t>(0, pending->request.expires_at_ms - now_ms());
  const bool escalates = pending->request.terms && !pending->request.terms->escalate.empty();
  auto waiting = escalates ? until_answered(pending) : ctx_.wait_for(has_decision, milliseconds(left_ms));
  Outcome<bool> waited = co_await attempt(std::move(waiting));
  if (!waited.ok() && pending->closed) waited.error().raise();  // the run is ending, and has settled it
  if (!pending->decision) pending->closed = true;
  const Json said = said_to(*pending, question);
  co_await settle(pending, outcome_of(*pending), planned.call);
  pending_.erase(id);
  if (!waited.ok()) waited.error().raise();
  step.text = dump_json(said);
  step.failed = said.contains("error");
  co_await ctx_.activity<void>(kStepCompletedActivity, bookkeeping(), step);
  ToolAnswer answer;
  answer.ordinal = planned.call.ordinal;
  answer.id = planned.call.id;
  answer.source = AnswerSource::kStep;
  answer.key = "tool:" + planned.call.key;
  co_return answer;
}

}  // namespace holdfast::agent
