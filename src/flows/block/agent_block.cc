// `type: agent`: a run of an agent as a child of this one, by the agents' tool of that name. What the agent
// says at its end is the result: an object or a list where it says one in JSON, else a text.

#include "block/tool_call.h"

namespace holdfast::flows {

constinit const RunnableBlock kAgentBlock = workflow_block("agent", /*has_timeout=*/true);

}  // namespace holdfast::flows
