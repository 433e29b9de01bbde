#pragma once

// What the commands print: data on stdout, words for people on stderr, colour only on a terminal that wants
// it (NO_COLOR is honoured). Text of others passes app/printable.h on its way: complain() and print_table()
// see to it; who calls print_line() or coloured() with such text does it, unless it is JSON that was asked
// for.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::app {

// One line on stderr, "holdfast: ...". Like everything here that writes to stderr it never fails: there is
// nobody left to tell.
void complain(std::string_view message);

// Why a command fails: `code` for programs, `detail` and `hint` for people. With errors_as_json() one line of
// JSON with these three, the last line on stderr.
void report_error(std::string_view code, std::string_view detail, std::string_view hint = {});
void report_error(const Status& status);
// A problem document of the server is passed on as it is.
void report_problem(const nlohmann::ordered_json& problem, int http_status);
// Says why a command ends here and gives its exit code.
int refuse(const Status& status);
// The command line has --json. Before any thread starts.
void errors_as_json();

// On stderr, as it is.
void print_progress(std::string_view text);

// On stdout, flushed. False: it did not get there, and errno says why.
[[nodiscard]] bool write_out(std::string_view text);
// A line on stdout, flushed, so that a reader behind a pipe sees it at once. When it cannot be written the
// process ends with kExitError: a command has not done its work then.
void print_line(std::string_view line);
// Ends the process so.
[[noreturn]] void end_without_output(int error);

enum class Colour { kBold, kDim, kGreen, kYellow, kRed, kBlue };
// Escapes around `text` when stdout (or stderr) shows colours.
std::string coloured(Colour colour, std::string_view text, bool for_stderr = false);

// Columns as wide as their widest cell; the first row is the head.
void print_table(std::vector<std::vector<std::string>> rows);

}  // namespace holdfast::app
