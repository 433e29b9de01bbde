#pragma once

// Rules of links (platform/rules.h): what may be made, and whether one is still good.

#include <optional>
#include <string_view>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/links.h"
#include "platform/rules.h"

namespace holdfast::platform::rules {

Status check_link(const DecisionLink& wanted);
// `there`: how many the approval has.
Result<Change<DecisionLink>> make_link(const DecisionLink& wanted, const std::optional<DecisionLink>& stored,
                                       const Approval& approval, std::size_t there, WallTime now);
// OK: it may be used now.
Status may_use(const DecisionLink& link, WallTime now);
Result<Change<DecisionLink>> revoke_link(const DecisionLink& stored, WallTime now);
AuditRow audit_of(const DecisionLink& link, std::string_view action, std::string_view by, WallTime now);

}  // namespace holdfast::platform::rules
