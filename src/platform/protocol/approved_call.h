#pragma once

// A call that a person has approved, as its activity gets it: it says itself how it was decided, with its
// intent. It stands in histories, as protocol/activities.h does.
//
// Values; see protocol/call.h for how reading fails.

#include "protocol/activities.h"

namespace holdfast::protocol {

// As kToolActivity, whose result it has; behind it the approval is settled, whatever the call came to.
inline constexpr const char* kApprovedToolActivity = "agent.tool.approved";

struct ApprovedCall {
  ApprovedCall() = default;
  ToolInput tool;
  SettleInput settles;
};

void to_json(Json& out, const ApprovedCall& value);
void from_json(const Json& in, ApprovedCall& value);

}  // namespace holdfast::protocol
