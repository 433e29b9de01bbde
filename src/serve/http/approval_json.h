#pragma once

// Approvals as the API writes them. Internal to the module; pure.

#include <optional>
#include <string_view>

#include "http/json_reply.h"
#include "platform/records.h"

namespace holdfast::http {

Json approval_json(const platform::Approval& approval);

// "pending"
std::string_view approval_status_name(platform::ApprovalStatus status);
std::optional<platform::ApprovalStatus> approval_status_by_name(std::string_view name);

}  // namespace holdfast::http
