#include "app/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "app/exit_code.h"
#include "app/printable.h"

namespace holdfast::app {

namespace {

bool shows_colour(int fd) {
  const char* no = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return (no == nullptr || *no == '\0') && ::isatty(fd) == 1 && term != nullptr &&
         std::string_view(term) != "dumb";
}

// Code points, near enough to columns for what we print.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

void complain(std::string_view message) {
  fmt::print(stderr, "holdfast: {}\n", printable(message));
}
void complain(const Status& status) {
  complain(status.message());
}

int refuse(const Status& status) {
  complain(status);
  return exit_code_of(status);
}

void print_line(std::string_view line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

std::string coloured(Colour colour, std::string_view text, bool for_stderr) {
  static const bool out = shows_colour(STDOUT_FILENO);
  static const bool err = shows_colour(STDERR_FILENO);
  if (!(for_stderr ? err : out)) return std::string(text);
  static constexpr const char* kCodes[] = {"1", "2", "32", "33", "31", "34"};
  return fmt::format("\033[{}m{}\033[0m", kCodes[static_cast<int>(colour)], text);
}

void print_table(std::vector<std::vector<std::string>> rows) {
  std::vector<std::size_t> widths;
  for (auto& row : rows) {
    for (std::string& cell : row) cell = one_line(cell);
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      line += rows[r][i];
      if (i + 1 < rows[r].size()) line.append(widths[i] - width(rows[r][i]) + 2, ' ');
    }
    print_line(r == 0 ? coloured(Colour::kDim, line) : line);
  }
}

}  // namespace holdfast::app
