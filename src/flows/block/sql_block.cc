// `type: sql`: statements, by the agents' SQL tool. The result is {"rows": [...]}, and "changes" where it
// writes.

#include "block/tool_call.h"

namespace holdfast::flows {

constinit const RunnableBlock kSqlBlock = tool_block("sql");

}  // namespace holdfast::flows
