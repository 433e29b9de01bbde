#pragma once

// What a store does within one transaction to answer a call about links (platform/calls.h).

#include <optional>
#include <string_view>

#include "platform/calls.h"
#include "platform/link_rules.h"

namespace holdfast::platform::calls {

// find(id), count(approval), insert(row), insert_audit(row); of `approvals` find(id)
template <typename Rows, typename ApprovalRows>
Result<DecisionLink> make_link(Rows rows, ApprovalRows approvals, const DecisionLink& wanted, WallTime now) {
  Result<Approval> approval = need(approvals.find(wanted.approval), "approval", wanted.approval);
  if (!approval) return fail(approval.error());
  Result<std::optional<DecisionLink>> stored = rows.find(wanted.id);
  if (!stored) return fail(stored.error());
  Result<std::int64_t> there = rows.count(wanted.approval);
  if (!there) return fail(there.error());
  Result<rules::Change<DecisionLink>> change =
      rules::make_link(wanted, *stored, *approval, static_cast<std::size_t>(*there), now);
  if (!change) return fail(change.error());
  if (change->write == rules::Write::kInsert) {
    Status said = rows.insert_audit(rules::audit_of(change->row, kLinkMade, change->row.created_by, now));
    if (!said.ok()) return fail(std::move(said));
  }
  return keep(rows, *std::move(change));
}

// find(id), update(row), insert_audit(row)
template <typename Rows>
Result<DecisionLink> revoke_link(Rows rows, std::string_view id, std::string_view by, WallTime now) {
  Result<DecisionLink> stored = need(rows.find(id), "link", id);
  if (!stored) return stored;
  Result<rules::Change<DecisionLink>> change = rules::revoke_link(*stored, now);
  if (!change) return fail(change.error());
  if (change->write == rules::Write::kUpdate) {
    Status said = rows.insert_audit(rules::audit_of(change->row, kLinkRevoked, by, now));
    if (!said.ok()) return fail(std::move(said));
  }
  return keep(rows, *std::move(change));
}

// find(id), update(row); of `approvals` what begin_decision needs
template <typename Rows, typename ApprovalRows>
Result<Approval> begin_linked_decision(Rows rows, ApprovalRows approvals, std::string_view id,
                                       const DecisionAttempt& attempt, WallTime now, Status& refused) {
  Result<DecisionLink> link = need(rows.find(id), "link", id);
  if (!link) return fail(link.error());
  if (Status status = rules::may_use(*link, now); !status.ok()) return fail(std::move(status));
  if (link->approval != attempt.approval)
    return fail(Code::kInvalidArgument, "the link is for another approval");
  Result<Approval> approval = begin_decision(approvals, attempt, now, refused);
  if (!approval || !refused.ok()) return approval;
  link->used_at = now;
  if (Status status = rows.update(*link); !status.ok()) return fail(std::move(status));
  return approval;
}

}  // namespace holdfast::platform::calls
