// `type: human`: a person is asked, by the agents' tool of that name; the run waits, and its other branches
// go on. The result is {"answer", "answered_by"}. A person who declines, or a time that is over without a
// `default`, ends the block by its outlet `error`.

#include "block/tool_call.h"

namespace holdfast::flows {

constinit const RunnableBlock kHumanBlock = workflow_block("human", /*has_timeout=*/false);

}  // namespace holdfast::flows
