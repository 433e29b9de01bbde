#pragma once

// The agent that a block of a flow is: one model call, whose definition stands in the block. It has no name
// and no version of its own; it is known as FLOW.BLOCK, in the flow's version. Pure.

#include <string_view>

#include "definition/definition.h"
#include "holdfast/status.h"
#include "protocol/flow_run.h"

namespace holdfast::agent {

// What `with` of a block says, as a definition in its canonical form: `model`, `system`, `output_schema`,
// `budgets`.
Json definition_of_block(const Json& with);

// `text`: of the flow, as it is stored.
Result<AgentDefinition> agent_in_flow(const Catalog& catalog, std::string_view text,
                                      const protocol::BlockAgent& block);

}  // namespace holdfast::agent
