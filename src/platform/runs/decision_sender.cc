#include "runs/decision_sender.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::runs {

namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{250};
constexpr milliseconds kMaxPause{10'000};

std::string_view decision_word(platform::ApprovalStatus status) {
  switch (status) {
    case platform::ApprovalStatus::kRejected: return "reject";
    case platform::ApprovalStatus::kEdited: return "edit";
    default: return "approve";
  }
}

std::string update_argument(const platform::DecisionAttempt& attempt) {
  Json argument = {{"approval", attempt.approval}, {"decision", decision_word(attempt.decision)}};
  if (!attempt.arguments_sha256.empty()) argument["arguments_sha256"] = attempt.arguments_sha256;
  if (!attempt.edited_arguments.empty()) {
    argument["edited_arguments"] = parse_json<Json>(attempt.edited_arguments);
  }
  if (!attempt.decided_by.empty()) argument["decided_by"] = attempt.decided_by;
  if (!attempt.comment.empty()) argument["comment"] = attempt.comment;
  return dump_json(argument);
}

}  // namespace

struct DecisionSender::Sending {
  std::string run;
  platform::DecisionAttempt attempt;
  Done done;
  milliseconds pause = kFirstPause;
};

DecisionSender::DecisionSender(Dependencies dependencies) : deps_(std::move(dependencies)) {}

void DecisionSender::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
}

void DecisionSender::send(const platform::Approval& approval, const platform::DecisionAttempt& attempt,
                          Done done) {
  auto sending = std::make_shared<Sending>();
  sending->run = approval.run;
  sending->attempt = attempt;
  sending->done = std::move(done);
  try_send(std::move(sending));
}

void DecisionSender::recover() {
  deps_.executor->post([self = shared_from_this()] { self->recover_behind(""); });
}

void DecisionSender::recover_behind(const std::string& after) {
  auto attempts = deps_.store->unanswered_decisions(after);
  if (!attempts) return deps_.log("cannot read unanswered decisions: " + attempts.error().message());
  for (const platform::DecisionAttempt& attempt : *attempts) {
    auto approval = deps_.store->approval(attempt.approval);
    if (approval) {
      send(*approval, attempt, [](Result<Answer>) {});
    } else {
      deps_.log(fmt::format("decision {} cannot be sent before the next start: {}", attempt.update_id,
                            approval.error().message()));
    }
  }
  if (attempts->size() < platform::kMaxPage) return;
  deps_.executor->post(
      [self = shared_from_this(), last = attempts->back().update_id] { self->recover_behind(last); });
}

void DecisionSender::try_send(std::shared_ptr<Sending> sending) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_)
      return sending->done(fail(Code::kUnavailable, "the server is stopping; the decision is stored"));
  }
  deps_.engine->update(sending->run, sending->attempt.update_id, deps_.update_name,
                       update_argument(sending->attempt),
                       [self = shared_from_this(), sending](Result<UpdateOutcome> outcome) {
                         self->on_answer(sending, std::move(outcome));
                       });
}

void DecisionSender::on_answer(std::shared_ptr<Sending> sending, Result<UpdateOutcome> outcome) {
  if (outcome) {
    return finish(*sending, outcome->accepted, outcome->error_type, outcome->error_message);
  }
  // The run is over or unknown: nobody is left to decide for.
  if (outcome.error().code() == Code::kNotFound) {
    return finish(*sending, false, "RunClosed", "the run is over: " + outcome.error().message());
  }
  if (outcome.error().code() == Code::kInvalidArgument ||
      outcome.error().code() == Code::kFailedPrecondition) {
    return finish(*sending, false, "Refused", outcome.error().message());
  }
  deps_.after(sending->pause, [weak = weak_from_this(), sending] {
    auto self = weak.lock();
    if (!self) return;
    self->deps_.executor->post([self, sending] { self->try_send(sending); });
  });
  sending->pause = std::min(sending->pause * 2, kMaxPause);
}

void DecisionSender::finish(Sending& sending, bool won, const std::string& type, const std::string& message) {
  auto approval = deps_.store->finish_decision(sending.attempt.update_id, won, message);
  Done& done = sending.done;
  if (!approval) {
    deps_.log(fmt::format("the decision on {} was answered but not recorded: {}", sending.attempt.approval,
                          approval.error().message()));
    return done(std::unexpected(approval.error()));
  }
  Answer answer;
  answer.won = won;
  answer.approval = *std::move(approval);
  answer.error_type = type;
  answer.error_message = message;
  done(std::move(answer));
}

}  // namespace holdfast::runs
