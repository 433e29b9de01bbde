// `type: http`: a request, by the agents' HTTP tool. The result is the body: JSON, or a text.

#include "block/tool_call.h"

namespace holdfast::flows {

constinit const RunnableBlock kHttpBlock = tool_block("http");

}  // namespace holdfast::flows
