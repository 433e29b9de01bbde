#pragma once

// The MCP endpoint: agents as the tools of a server of the Model Context Protocol, over streamable HTTP, in
// the revisions 2025-03-26 to 2026-07-28. Thread-safe; requests block.

#include "interop/host.h"

namespace holdfast::interop {

class McpServer {
 public:
  // The host outlives it.
  explicit McpServer(const Host& host) : host_(host) {}

  // A message, or a batch of them.
  void post(const net::Request& request, net::Responder responder) const;
  // A stream that broke.
  void get(const net::Request& request, net::Responder responder) const;

 private:
  const Host& host_;
};

}  // namespace holdfast::interop
