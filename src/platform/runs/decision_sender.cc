#include "runs/decision_sender.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "protocol/decision.h"
#include "protocol/names.h"
#include "protocol/policy.h"
#include "runs/run_outcome.h"

namespace holdfast::runs {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{250};
constexpr milliseconds kMaxPause{10'000};

protocol::DecisionKind kind_of(platform::ApprovalStatus status) {
  switch (status) {
    case platform::ApprovalStatus::kRejected: return protocol::DecisionKind::kReject;
    case platform::ApprovalStatus::kEdited: return protocol::DecisionKind::kEdit;
    case platform::ApprovalStatus::kAnswered: return protocol::DecisionKind::kAnswer;
    default: return protocol::DecisionKind::kApprove;
  }
}

// A comment is whatever somebody typed: bytes that are no text do not stop a decision.
Payload argument_of(const platform::DecisionAttempt& attempt, const std::string& scope,
                    const std::function<void(protocol::Decision&)>& sign) {
  protocol::Decision decision;
  decision.approval = attempt.approval;
  decision.decision = kind_of(attempt.decision);
  decision.arguments_sha256 = attempt.arguments_sha256;
  if (!attempt.edited_arguments.empty()) {
    decision.edited_arguments = parse_json<protocol::Json>(attempt.edited_arguments);
  }
  decision.decided_by = attempt.decided_by;
  decision.comment = attempt.comment;
  decision.scope = scope;
  if (sign) sign(decision);
  return Payload({{"encoding", "json/plain"}}, dump_json(protocol::Json(decision)));
}

}  // namespace

struct DecisionSender::Sending {
  std::string run;
  platform::DecisionAttempt attempt;
  Done done;
  milliseconds pause = kFirstPause;
  int have = 0, need = 0;  // of approvals, where several are needed
};

DecisionSender::DecisionSender(Background dependencies) : deps_(std::move(dependencies)) {}

void DecisionSender::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
}

void DecisionSender::send(const platform::Approval& approval, const platform::DecisionAttempt& attempt,
                          Done done) {
  auto sending = std::make_shared<Sending>();
  sending->run = approval.run;
  sending->attempt = attempt;
  // Whoever says no need not say to what.
  if (sending->attempt.arguments_sha256.empty())
    sending->attempt.arguments_sha256 = approval.arguments_sha256;
  sending->done = std::move(done);
  try_send(std::move(sending));
}

void DecisionSender::recover() {
  deps_.executor->post([self = shared_from_this()] { self->recover_behind(""); });
}

void DecisionSender::recover_behind(const std::string& after) {
  auto attempts = deps_.store->unanswered_decisions(after);
  if (!attempts) return deps_.log("cannot read unanswered decisions: " + attempts.error().message());
  std::size_t unsent = 0;
  std::string why;
  for (const platform::DecisionAttempt& attempt : *attempts) {
    auto approval = deps_.store->approval(attempt.approval);
    if (approval) {
      send(*approval, attempt, [](Result<Reply>) {});
    } else if (unsent++ == 0) {
      why = fmt::format("decision {}: {}", attempt.update_id, approval.error().message());
    }
  }
  if (unsent > 0) {  // one line, however many a damaged table has
    deps_.log(fmt::format("{} of {} decisions cannot be sent before the next start; {}", unsent,
                          attempts->size(), why));
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
  const auto scope = scope_of(sending->attempt.update_id);
  if (!scope) return try_later(sending);
  UpdateOptions options;
  options.update_id(sending->attempt.update_id);
  deps_.client->workflow(sending->run)
      .update_async(
          protocol::kDecideUpdate, options,
          [self = shared_from_this(), sending](Result<Outcome<Payload>> outcome) {
            self->on_reply(sending, outcome);
          },
          argument_of(sending->attempt, *scope, deps_.sign));
}

void DecisionSender::answered(Sending& sending, const Outcome<Payload>& outcome) {
  if (!outcome.ok()) return finish(sending, false, reason_of(outcome.error()).message);
  const auto answer = parse_json<protocol::Json>(outcome.value().data);
  if (answer.is_object()) {
    sending.have = answer.value("have", 0);
    sending.need = answer.value("need", 0);
  }
  const bool is_last = sending.have >= sending.need;
  finish(sending, true, is_last ? "" : fmt::format("{} of {} have approved", sending.have, sending.need));
}

Result<std::string> DecisionSender::scope_of(const std::string& update_id) {
  const auto record = deps_.store->lookup_step(protocol::scope_key(update_id));
  if (!record) return fail(record.error());
  if (!*record) return std::string();
  const auto scope = parse_json<protocol::Json>((*record)->result);
  return scope.is_string() ? scope.get<std::string>() : std::string();
}

void DecisionSender::on_reply(std::shared_ptr<Sending> sending, const Result<Outcome<Payload>>& outcome) {
  if (outcome) return answered(*sending, *outcome);
  // The run is over or unknown: nobody is left to decide for.
  if (outcome.error().code() == Code::kNotFound) {
    return finish(*sending, false, "the run is over: " + outcome.error().message());
  }
  if (outcome.error().code() == Code::kInvalidArgument ||
      outcome.error().code() == Code::kFailedPrecondition) {
    return finish(*sending, false, outcome.error().message());
  }
  try_later(std::move(sending));
}

void DecisionSender::try_later(std::shared_ptr<Sending> sending) {
  deps_.after(sending->pause, [weak = weak_from_this(), sending] {
    auto self = weak.lock();
    if (!self) return;
    self->deps_.executor->post([self, sending] { self->try_send(sending); });
  });
  sending->pause = std::min(sending->pause * 2, kMaxPause);
}

void DecisionSender::finish(Sending& sending, bool won, const std::string& why) {
  auto approval = deps_.store->finish_decision(sending.attempt.update_id, won, why);
  Done& done = sending.done;
  if (!approval) {
    deps_.log(fmt::format("the decision on {} was answered but not recorded: {}", sending.attempt.approval,
                          approval.error().message()));
    return done(std::unexpected(approval.error()));
  }
  Reply reply;
  reply.won = won;
  reply.approval = *std::move(approval);
  reply.why = why;
  reply.have = sending.have;
  reply.need = sending.need;
  done(std::move(reply));
}

}  // namespace holdfast::runs
