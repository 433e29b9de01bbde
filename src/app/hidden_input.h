#pragma once

// What people type and nobody shall see: a password, a secret.

#include <string>
#include <string_view>

namespace holdfast::app {

// Standard input is a terminal.
bool is_terminal();
// A line of standard input without its end; on a terminal asked for, and not shown.
std::string read_hidden_line(std::string_view prompt);

}  // namespace holdfast::app
