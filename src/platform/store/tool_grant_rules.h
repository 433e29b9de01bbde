#pragma once

// Rules of tool grants as rows (platform/rules.h): what a row may hold, and what it is called.

#include <string>
#include <string_view>
#include <vector>

#include "platform/rules.h"
#include "platform/tool_grant_store.h"

namespace holdfast::platform::rules {

inline constexpr std::size_t kMaxToolsOfGrant = 64;
inline constexpr std::size_t kMaxGrantReason = 1000;

// INVALID_ARGUMENT for a row that could never fit a call, or that no list could show.
Status check_tool_grant(const ToolGrant& row);
// Follows from scope, mode and tools, whatever their order: who says the same again means the same row.
std::string tool_grant_id(const ToolGrant& row);
// Sorted, each once.
std::vector<std::string> sorted_tools(std::vector<std::string> tools);

// Whether every call that fits `inner` fits `outer`.
bool covers(const ToolGrant& outer, const ToolGrant& inner);

// As they are stored: JSON.
std::string tools_text(const std::vector<std::string>& tools);
std::vector<std::string> tools_of(std::string_view text);

// The row that goes into the record with it: `row` is what was added or taken back.
AuditRow audit_of_grant(const ToolGrant& row, std::string_view action, std::string_view actor);

}  // namespace holdfast::platform::rules
