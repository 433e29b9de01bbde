#pragma once

// What is asked of a server over a line: which revision it speaks, what tools it has, a call. The newest
// revision is tried first (`server/discover`); a server that does not know it gets the handshake of the older
// ones. Blocking, on the thread that has the line.

#include "mcp/line.h"
#include "mcp/listing.h"

namespace holdfast::mcp {

// Does nothing when the two have agreed already.
Outcome<void> agree(Line& line, const Access& access);

// Every page. The line knows the hashes from then on.
Outcome<Listing> list_tools(Line& line, const McpServer& server, const Access& access);

struct ToolCall {
  std::string tool;                            // as the server calls it
  std::string sha256;                          // its pin
  std::map<std::string, std::string> headers;  // HTTP's for arguments: JSON pointer to name
  Json arguments;
  std::string idempotency_key;
};
// The result of tools/call, once the tool is known to be what the pin says. A tool that fails is a result.
Outcome<Json> call_tool(Line& line, const McpServer& server, const ToolCall& call, const Access& access);

}  // namespace holdfast::mcp
