// Runs, decided on: a person's decision from the request to what became of it.

#include <fmt/format.h>

#include <atomic>

#include <nlohmann/json.hpp>

#include "base/ids.h"
#include "base/json.h"
#include "base/sha256.h"
#include "protocol/policy.h"
#include "runs/runs_impl.h"

namespace holdfast::runs {

namespace {

using platform::Approval;
using platform::ApprovalStatus;
using platform::DecisionAttempt;

ApprovalStatus status_of(protocol::DecisionKind kind) {
  switch (kind) {
    case protocol::DecisionKind::kApprove: return ApprovalStatus::kApproved;
    case protocol::DecisionKind::kReject: return ApprovalStatus::kRejected;
    case protocol::DecisionKind::kEdit: return ApprovalStatus::kEdited;
    case protocol::DecisionKind::kAnswer: return ApprovalStatus::kAnswered;
  }
  return ApprovalStatus::kRejected;
}

DecisionAttempt attempt_of(const DecisionRequest& request, Random& random) {
  DecisionAttempt attempt;
  attempt.update_id = "decision-" + (request.idempotency_key.empty()
                                         ? new_uuid(random)
                                         : sha256_hex(request.approval + "\n" + request.idempotency_key));
  attempt.approval = request.approval;
  attempt.decision = status_of(request.decision);
  attempt.arguments_sha256 = request.arguments_sha256;
  attempt.edited_arguments = request.edited_arguments;
  attempt.decided_by = request.decided_by;
  attempt.comment = request.comment;
  return attempt;
}

// Why a decision is not taken, told from the approval as it is now.
Decided refusal(Approval approval, std::string why, WallTime now) {
  Decided out;
  if (approval.status == ApprovalStatus::kExpired ||
      (approval.status == ApprovalStatus::kPending && approval.expires_at && *approval.expires_at <= now)) {
    out.outcome = DecisionOutcome::kExpired;
  } else if (approval.status != ApprovalStatus::kPending) {
    out.outcome = DecisionOutcome::kAlreadyDecided;
  } else {
    out.outcome = DecisionOutcome::kRefused;
  }
  out.approval = std::move(approval);
  out.why = std::move(why);
  return out;
}

Decided taken(Approval approval) {
  Decided out;
  out.outcome = DecisionOutcome::kTaken;
  out.approval = std::move(approval);
  return out;
}

// The run's answer or the end of patience, whichever comes first.
class FirstOfTwo {
 public:
  explicit FirstOfTwo(DecidedDone done) : done_(std::move(done)) {}
  void operator()(Result<Decided> decided) {
    if (!called_.exchange(true)) done_(std::move(decided));
  }

 private:
  std::atomic<bool> called_ = false;
  DecidedDone done_;
};

Result<Approval> begin(Runs::Impl& runs, const DecisionAttempt& attempt, const std::string& link) {
  if (link.empty()) return runs.store().begin_decision(attempt);
  if (runs.deps.links == nullptr) return fail(Code::kUnimplemented, "nobody decides by a link here");
  return runs.deps.links->begin_linked_decision(link, attempt);
}

Status not_found(const std::string& approval) {
  return with_fault(Code::kNotFound, RunFault::kApprovalNotFound,
                    fmt::format("there is no approval '{}'", approval));
}

Status key_used() {
  return with_fault(Code::kAlreadyExists, RunFault::kKeyUsed,
                    "another decision of this approval was sent under the idempotency key");
}

// What is known when the attempt could not be stored.
Result<Decided> not_begun(platform::Store& store, const DecisionAttempt& attempt, const Status& error,
                          WallTime now) {
  if (error.code() == Code::kNotFound) return fail(not_found(attempt.approval));
  if (error.code() == Code::kAlreadyExists) return fail(key_used());
  if (error.code() != Code::kFailedPrecondition) return fail(error);
  auto approval = store.approval(attempt.approval);
  if (!approval) return fail(error);
  return refusal(*std::move(approval), error.message(), now);
}

}  // namespace

Result<Approval> Runs::approval(const std::string& id) {
  auto approval = impl_->store().approval(id);
  if (!approval && approval.error().code() == Code::kNotFound) return fail(not_found(id));
  return approval;
}

void Runs::decide(const DecisionRequest& request, std::chrono::milliseconds answer_within, DecidedDone done) {
  const Environment& environment = *impl_->deps.environment;
  const DecisionAttempt attempt = attempt_of(request, environment.random());
  if (!request.scope.empty()) {
    // First, so that whoever sends it again knows.
    platform::StepWrite scope;
    scope.key = protocol::scope_key(attempt.update_id);
    if (const auto asked = impl_->store().approval(request.approval)) scope.run = asked->run;
    scope.result = dump_json(nlohmann::json(request.scope));
    const auto stored = impl_->store().commit_step(scope);
    if (!stored) return done(fail(stored.error()));
    if (stored->result != scope.result) return done(fail(key_used()));
  }
  auto approval = begin(*impl_, attempt, request.link);
  if (!approval) {
    return done(not_begun(impl_->store(), attempt, approval.error(), environment.clock().now()));
  }
  if (approval->status != ApprovalStatus::kPending) {
    // A repeat, under the same key, of an attempt that has its answer.
    if (approval->status == attempt.decision && approval->decided_by == attempt.decided_by) {
      return done(taken(*std::move(approval)));
    }
    return done(refusal(*std::move(approval), "the decision was refused", environment.clock().now()));
  }
  auto first = std::make_shared<FirstOfTwo>(std::move(done));
  impl_->decisions->send(*approval, attempt,
                         [first, &clock = environment.clock()](Result<DecisionSender::Reply> reply) {
                           if (!reply) return (*first)(fail(reply.error()));
                           if (reply->won) {
                             Decided decided = taken(std::move(reply->approval));
                             decided.have = reply->have;
                             decided.need = reply->need;
                             return (*first)(std::move(decided));
                           }
                           (*first)(refusal(std::move(reply->approval), std::move(reply->why), clock.now()));
                         });
  impl_->deps.after(answer_within, [first, approval = *std::move(approval)] {
    Decided sent;
    sent.approval = approval;
    (*first)(std::move(sent));
  });
}

}  // namespace holdfast::runs
