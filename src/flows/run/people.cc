#include "run/people.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "agent/bookkeeping.h"
#include "base/json.h"
#include "holdfast/failure.h"
#include "protocol/human_question.h"
#include "protocol/names.h"

namespace holdfast::flows {

using namespace protocol;
using agent::Pending;
using agent::PendingPtr;
using std::chrono::milliseconds;

namespace {

// What fails the block; what the record of the question has besides.
[[noreturn]] void throw_unanswered(const Pending& pending) {
  if (!pending.decision)
    throw ApplicationFailure::non_retryable("nobody has answered in time", "QuestionExpired");
  const Decision& decision = *pending.decision;
  const std::string who = decision.decided_by.empty() ? "a person" : decision.decided_by;
  throw ApplicationFailure::non_retryable(
      fmt::format("declined by {}{}{}", who, decision.comment.empty() ? "" : ": ", decision.comment),
      "QuestionDeclined");
}

}  // namespace

void People::register_handler() {
  auto self = shared_from_this();
  ctx_.on_update(
      kDecideUpdate, [self](Decision decision) { return self->decide(decision); },
      [self](const Decision& decision) {
        self->check(decision);
        agent::check_answer(*self->open_.at(decision.approval), decision);
      });
}

void People::begin(const FlowPlan& plan) {
  flow_ = plan.flow;
  version_ = plan.version;
  key_ = plan.decision_key;
}

std::int64_t People::now_ms() const {
  return std::chrono::duration_cast<milliseconds>(ctx_.now().time_since_epoch()).count();
}

void People::check(const Decision& decision) const {
  agent::check_decision(open_, decision, key_, now_ms());
  if (!decision.scope.empty())
    throw ApplicationFailure::non_retryable("`scope` belongs to calls of agents; leave it out",
                                            kInvalidDecision);
}

// Decisions that arrive together may all be validated before the first is handled: whoever is handled first
// has won.
Json People::decide(const Decision& decision) {
  check(decision);
  return agent::take_decision(*open_.at(decision.approval), decision, now_ms());
}

Task<ToolAnswer> People::ask(PlannedCall planned) {
  const HumanQuestion question = planned.input.get<HumanQuestion>();
  PendingPtr pending = co_await request(std::move(planned), question.deadline_ms);
  auto has_decision = [pending] { return pending->decision.has_value(); };
  const std::int64_t left_ms = std::max<std::int64_t>(0, pending->request.expires_at_ms - now_ms());
  auto waiting = ctx_.wait_for(has_decision, milliseconds(left_ms));
  Outcome<bool> waited = co_await attempt(std::move(waiting));
  if (!pending->decision) pending->closed = true;
  co_await settle(pending);
  open_.erase(pending->request.id);
  if (!waited.ok()) waited.error().raise();
  const Json said = agent::said_to(*pending, question);
  if (said.contains("error")) throw_unanswered(*pending);
  ToolAnswer answer;
  answer.source = AnswerSource::kText;
  answer.text = dump_json(said);
  co_return answer;
}

// Neither is cut short by a cancellation: the index of questions keeps in step.
Task<PendingPtr> People::request(PlannedCall planned, std::int64_t deadline_ms) {
  auto pending = std::make_shared<Pending>();
  pending->asked_ms = now_ms();
  ApprovalInput& in = pending->request;
  in.id = agent::question_id(planned.call.key);
  in.agent = flow_;
  in.version = version_;
  in.call = planned.call;
  in.arguments_sha256 = planned.arguments_sha256;
  in.reason = planned.input.get<HumanQuestion>().text;
  in.question = planned.input;
  in.expires_at_ms = now_ms() + deadline_ms;
  open_[in.id] = pending;
  auto recording = ctx_.activity<void>(kRequestApprovalActivity, agent::bookkeeping(), in);
  try {
    co_await ctx_.shielded(std::move(recording));
  } catch (...) {
    open_.erase(in.id);  // nobody was asked: there is nothing to decide
    throw;
  }
  co_return pending;
}

Task<void> People::settle(PendingPtr pending) {
  SettleInput in = agent::settlement_of(*pending, agent::outcome_of(*pending), now_ms());
  in.agent = flow_;
  in.version = version_;
  in.call = pending->request.call;
  auto recording = ctx_.activity<Settled>(kSettleApprovalActivity, agent::bookkeeping(), in);
  (void)co_await ctx_.shielded(std::move(recording));
}

Json People::status() const {
  return agent::told_of(open_);
}

}  // namespace holdfast::flows
