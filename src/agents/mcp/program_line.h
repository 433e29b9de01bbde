#pragma once

// A line to a program: messages of one line each over its standard streams. The program is started with the
// line and ends with it.

#include "mcp/line.h"

namespace holdfast::mcp {

Outcome<std::unique_ptr<Line>> program_line(std::shared_ptr<const McpServer> server, const Access& access);

}  // namespace holdfast::mcp
