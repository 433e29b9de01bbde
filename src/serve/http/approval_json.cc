#include "http/approval_json.h"

#include "base/json.h"
#include "http/question.h"

namespace holdfast::http {

using platform::ApprovalStatus;

Json approval_json(const platform::Approval& approval) {
  Json out = {{"id", approval.id},
              {"run", approval.run},
              {"agent", approval.agent},
              {"tool", approval.tool},
              {"arguments", parse_or_string<Json>(approval.arguments)},
              {"arguments_sha256", approval.arguments_sha256},
              {"reason", approval.reason},
              {"status", to_string(approval.status)},
              {"requested_at", iso_time(approval.requested_at)},
              {"expires_at", approval.expires_at ? Json(iso_time(*approval.expires_at)) : Json(nullptr)}};
  if (approval.status != ApprovalStatus::kPending) {
    out["decided_by"] = approval.decided_by;
    out["decided_at"] = approval.decided_at ? Json(iso_time(*approval.decided_at)) : Json(nullptr);
    out["comment"] = approval.comment;
  }
  const auto question = question_of(approval);
  out["kind"] = question ? "question" : "approval";
  if (question) out["question"] = question_json(*question);
  if (!approval.edited_arguments.empty())
    out[question ? "answer" : "edited_arguments"] = parse_or_string<Json>(approval.edited_arguments);
  return out;
}

}  // namespace holdfast::http
