// `type: flow`: a run of another flow as a child of this one, by the agents' tool of that name. The call's
// arguments are its input, and its output is the result.

#include "block/tool_call.h"

namespace holdfast::flows {

constinit const RunnableBlock kFlowBlock = workflow_block("flow", /*has_timeout=*/true);

}  // namespace holdfast::flows
