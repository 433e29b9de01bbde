#pragma once

// Which tools of an agent fit what a model looks for. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "definition/definition.h"
#include "grant/tool_permits.h"

namespace holdfast::agent {

inline constexpr std::size_t kMaxToolsFound = 20;
inline constexpr std::size_t kUsualToolsFound = 5;

// `permits`: those that it refuses are not found; null: none are refused.
// Best first: by words of names, descriptions and parameters; rare ones count more, and those of a name most.
std::vector<const ToolSpec*> find_tools(const AgentDefinition& agent, std::string_view query,
                                        std::size_t limit, const grant::ToolPermits* permits = nullptr);

// The names in an answer of search_tools, as it was recorded; none when it is something else.
std::vector<std::string> names_found(std::string_view answer);

}  // namespace holdfast::agent
