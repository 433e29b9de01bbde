#pragma once

// What the answer to a tool's HTTP request means for the call: one reading for every type that sends one.
// Pure but for the clock of the context; any thread.

#include <expected>
#include <optional>
#include <string>

#include "net/fetch.h"
#include "tool/activity_tool.h"

namespace holdfast::agent {

// How the call ended, when it was not answered with a status of success; none: it was.
std::optional<ToolEnding> unless_answered(const ToolSpec& tool, const std::string& method,
                                          std::size_t max_response_bytes,
                                          const std::expected<net::HttpResponse, net::FetchError>& response,
                                          const ToolContext& context);

// The end of a call that was answered with a status of success.
ToolEnding answered_with(const ToolSpec& tool, const net::HttpResponse& response, const ToolContext& context);

}  // namespace holdfast::agent
