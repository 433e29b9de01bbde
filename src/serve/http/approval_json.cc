#include "http/approval_json.h"

#include "base/json.h"
#include "protocol/words.h"

namespace holdfast::http {

namespace {

using platform::ApprovalStatus;
using protocol::Word;

constexpr protocol::Words kStatuses("status of an approval", {Word{ApprovalStatus::kPending, "pending"},
                                                              Word{ApprovalStatus::kApproved, "approved"},
                                                              Word{ApprovalStatus::kRejected, "rejected"},
                                                              Word{ApprovalStatus::kExpired, "expired"},
                                                              Word{ApprovalStatus::kEdited, "edited"}});

}  // namespace

std::string_view approval_status_name(ApprovalStatus status) {
  return kStatuses.text(status);
}

std::optional<ApprovalStatus> approval_status_by_name(std::string_view name) {
  return kStatuses.find(name);
}

Json approval_json(const platform::Approval& approval) {
  Json out = {{"id", approval.id},
              {"run", approval.run},
              {"agent", approval.agent},
              {"tool", approval.tool},
              {"arguments", parse_or_string<Json>(approval.arguments)},
              {"arguments_sha256", approval.arguments_sha256},
              {"reason", approval.reason},
              {"status", approval_status_name(approval.status)},
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
