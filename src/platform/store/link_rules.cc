#include "platform/link_rules.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/iso_time.h"
#include "base/json.h"

namespace holdfast::platform {

std::string_view to_string(LinkState state) {
  switch (state) {
    case LinkState::kOpen: return "open";
    case LinkState::kUsed: return "used";
    case LinkState::kExpired: return "expired";
    case LinkState::kRevoked: return "revoked";
  }
  return "revoked";
}

LinkState state_of(const DecisionLink& link, WallTime now) {
  if (link.used_at) return LinkState::kUsed;
  if (link.revoked_at) return LinkState::kRevoked;
  return link.expires_at <= now ? LinkState::kExpired : LinkState::kOpen;
}

namespace rules {

Status check_link(const DecisionLink& wanted) {
  if (Status status = check_name("a link", wanted.id); !status.ok()) return status;
  if (wanted.recipient.empty() || wanted.recipient.size() > kMaxRecipientBytes) {
    return {Code::kInvalidArgument,
            fmt::format("a link is for somebody: a name of 1 to {} bytes", kMaxRecipientBytes)};
  }
  for (const char c : wanted.recipient) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return {Code::kInvalidArgument, "the name of who a link is for has a control character"};
  }
  return {};
}

Result<Change<DecisionLink>> make_link(const DecisionLink& wanted, const std::optional<DecisionLink>& stored,
                                       const Approval& approval, std::size_t there, WallTime now) {
  if (stored) {
    if (stored->approval == wanted.approval && stored->recipient == wanted.recipient)
      return Change<DecisionLink>{*stored};
    return fail(Code::kAlreadyExists, fmt::format("link {} is another one", wanted.id));
  }
  if (approval.status != ApprovalStatus::kPending) {
    return fail(Code::kFailedPrecondition,
                fmt::format("approval {} is already {}", approval.id, to_string(approval.status)));
  }
  if (approval.expires_at && *approval.expires_at <= now)
    return fail(Code::kFailedPrecondition, fmt::format("approval {} has expired", approval.id));
  if (there >= kMaxLinksOfApproval) {
    return fail(Code::kResourceExhausted,
                fmt::format("approval {} has {} links; there can be no more", approval.id, there));
  }
  DecisionLink row = wanted;
  row.created_at = now;
  row.used_at.reset();
  row.revoked_at.reset();
  if (approval.expires_at && (row.expires_at == WallTime{} || *approval.expires_at < row.expires_at))
    row.expires_at = *approval.expires_at;
  if (row.expires_at <= now) return fail(Code::kInvalidArgument, "the link would be over before it is made");
  return Change<DecisionLink>{std::move(row), Write::kInsert};
}

Status may_use(const DecisionLink& link, WallTime now) {
  switch (state_of(link, now)) {
    case LinkState::kOpen: return {};
    case LinkState::kUsed:
      return {Code::kAlreadyExists, fmt::format("the link was used at {}", iso_time(*link.used_at))};
    case LinkState::kExpired:
      return {Code::kOutOfRange, fmt::format("the link was good until {}", iso_time(link.expires_at))};
    case LinkState::kRevoked: break;
  }
  return {Code::kPermissionDenied,
          fmt::format("the link was revoked at {}", iso_time(link.revoked_at.value_or(now)))};
}

Result<Change<DecisionLink>> revoke_link(const DecisionLink& stored, WallTime now) {
  if (stored.used_at)
    return fail(Code::kFailedPrecondition, fmt::format("link {} was used already", stored.id));
  if (stored.revoked_at) return Change<DecisionLink>{stored};
  DecisionLink row = stored;
  row.revoked_at = now;
  return Change<DecisionLink>{std::move(row), Write::kUpdate};
}

AuditRow audit_of(const DecisionLink& link, std::string_view action, std::string_view by, WallTime now) {
  AuditRow row;
  row.at = now;
  row.actor = by;
  row.action = action;
  row.subject = link.approval;
  row.detail = dump_json(nlohmann::ordered_json{
      {"link", link.id}, {"recipient", link.recipient}, {"expires_at", iso_time(link.expires_at)}});
  return row;
}

}  // namespace rules

}  // namespace holdfast::platform
