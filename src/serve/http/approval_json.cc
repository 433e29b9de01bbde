#include "http/approval_json.h"

#include "base/json.h"

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
  if (!approval.edited_arguments.empty())
    out["edited_arguments"] = parse_or_string<Json>(approval.edited_arguments);
  return out;
}

}  // namespace holdfast::http
