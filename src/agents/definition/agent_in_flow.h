#pragma once

// What of a flow is an agent's: the agent that a block is, one model call, whose definition stands in the
// block, known as FLOW.BLOCK; and the calls of its blocks that can be taken back, as an agent's tools.
// Neither has a name or a version of its own: they are read out of the flow's. Pure.

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

// The blocks that have `compensate`, and the calls that take them back, as tools of a definition of the
// flow's name that asks no model. `text` as above.
Result<AgentDefinition> calls_of_flow(const Catalog& catalog, std::string_view text,
                                      const std::string& flow_agent);

// The tool that takes back the call of that block.
std::string undo_tool(std::string_view block);

}  // namespace holdfast::agent
