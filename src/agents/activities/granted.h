#pragma once

// What tool grants say of a call. Any thread.

#include <optional>
#include <string>

#include "grant/tool_grants.h"
#include "protocol/call.h"

namespace holdfast::agent {

// Why an agent, or a flow, may not make it; none: it may. `grants` null: nothing is limited.
std::optional<std::string> refusal_of(const grant::ToolGrants* grants, const std::string& agent,
                                      const protocol::CallRef& call);

}  // namespace holdfast::agent
