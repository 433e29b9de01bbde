#pragma once

// Approvals as the API writes them. Internal to the module; pure.

#include "http/json_reply.h"
#include "platform/records.h"

namespace holdfast::http {

Json approval_json(const platform::Approval& approval);

}  // namespace holdfast::http
