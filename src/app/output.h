#pragma once

// What the commands print: data on stdout, words for people on stderr, colour only on a terminal that wants
// it (NO_COLOR is honoured). Text of others passes app/printable.h on its way: complain() and print_table()
// see to it; who calls print_line() or coloured() with such text does it, unless it is JSON that was asked
// for.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace holdfast::app {

// One line on stderr, "holdfast: ...".
void complain(std::string_view message);
void complain(const Status& status);
// Says why a command ends here and gives its exit code.
int refuse(const Status& status);

// A line on stdout, flushed, so that a reader behind a pipe sees it at once.
void print_line(std::string_view line);

enum class Colour { kBold, kDim, kGreen, kYellow, kRed, kBlue };
// Escapes around `text` when stdout (or stderr) shows colours.
std::string coloured(Colour colour, std::string_view text, bool for_stderr = false);

// Columns as wide as their widest cell; the first row is the head.
void print_table(std::vector<std::vector<std::string>> rows);

}  // namespace holdfast::app
