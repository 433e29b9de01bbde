#pragma once

// The tools of a definition's MCP servers: asked for when the definition is applied, and named in its stored
// form one by one, each pinned by the hash of what its server said about it. From then on nothing but that is
// called; what a server changes afterwards is refused until the definition is applied again.
//
// Blocking; any thread, a few at a time.

#include <memory>

#include "definition/definition.h"
#include "grant/permits.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "mcp/client.h"

namespace holdfast::agent {

// For all servers of a definition.
inline constexpr std::chrono::seconds kAskingForTools{30};
inline constexpr int kMaxAskingForTools = 4;

struct McpAsking {
  mcp::Client* client = nullptr;
  const Clock* clock = nullptr;
  std::stop_token stop = {};
};

// The same definition with the tools that its servers have now; `pinned`, where given, is asked first: a
// server that stands there as it stands here has the tools that it had. INVALID_ARGUMENT: a server does not
// answer as one, or has not what the definition names; UNAVAILABLE: it could not be asked.
Result<AgentDefinition> with_mcp_tools(const AgentDefinition& definition, std::string_view source,
                                       const McpAsking& asking, const grant::Permits& permits,
                                       const AgentDefinition* pinned);

}  // namespace holdfast::agent
