#pragma once

// Calls of `type: sql` on PostgreSQL, a connection each. Blocks; an activity thread.

#include <optional>
#include <string>
#include <string_view>

#include "tool/activity_tool.h"

namespace holdfast::agent {

bool is_postgres(std::string_view database);
// What keeps an address in a definition from being one.
std::optional<std::string> wrong_address(const std::string& address);
// Where a password for that database goes, as a grant names it: https://HOST:PORT; empty: wherever the
// variable in it leads.
std::string password_place(const std::string& database);

// `address`: the database, filled.
ToolEnding call_postgres(const std::string& address, const ToolSpec& tool, const Json& arguments,
                         const ToolContext& context);

}  // namespace holdfast::agent
