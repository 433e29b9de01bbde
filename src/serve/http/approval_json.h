#pragma once

// Approvals as the API writes them. Internal to the module; pure.

#include "http/json_reply.h"
#include "platform/records.h"
#include "runs/runs.h"

namespace holdfast::http {

struct ApiContext;

Json approval_json(const platform::Approval& approval);
// What became of a decision: the approval as it is now, or a problem.
Response decided_response(ApiContext& context, const Result<runs::Decided>& decided);

}  // namespace holdfast::http
