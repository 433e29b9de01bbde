#pragma once

// The content of a tool's result as text for a model. Pure.

#include <string>

#include "mcp/message.h"

namespace holdfast::mcp {

// Text as it is; structured content as JSON where no text says the same; what is no text is told by kind and
// size: "(image: image/png, 1234 bytes)".
std::string answer_text(const Json& result);
// Whatever is said in `isError` that is not `false` is no success.
bool is_failure(const Json& result);

}  // namespace holdfast::mcp
