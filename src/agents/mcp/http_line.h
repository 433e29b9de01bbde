#pragma once

// A line over streamable HTTP: each message a POST, whose answer is JSON or a stream of events that ends with
// it. Before 2026-07-28 a stream that breaks off is taken up again where it was. An access token that is
// refused is renewed once.

#include "mcp/line.h"

namespace holdfast::mcp {

// Both outlive the line.
std::unique_ptr<Line> http_line(std::shared_ptr<const McpServer> server, net::HttpClient& http,
                                oauth::Tokens& tokens);

}  // namespace holdfast::mcp
