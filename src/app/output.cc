#include "app/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "app/exit_code.h"
#include "app/printable.h"
#include "base/json.h"
#include "net/problem.h"

namespace holdfast::app {

namespace {

using Json = nlohmann::ordered_json;

bool as_json = false;

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
  // Further lines are indented: only we begin one with our name.
  std::string text = printable(message);
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3)
    text.insert(at + 1, "  ");
  print_progress(fmt::format("holdfast: {}\n", text));
}

void report_error(std::string_view code, std::string_view detail, std::string_view hint) {
  if (as_json) {
    Json error = {{"code", code}, {"detail", detail}};
    if (!hint.empty()) error["hint"] = hint;
    return print_progress(dump_json(error) + "\n");
  }
  complain(detail);
  if (!hint.empty()) complain(hint);
}

void report_error(const Status& status) {
  report_error(net::Problem::from(status).code(), status.message());
}

void report_problem(const Json& problem, int http_status) {
  if (!problem.is_object()) {
    return report_error("unexpected_answer", fmt::format("the server answered {}", http_status));
  }
  if (as_json) return print_progress(dump_json(problem) + "\n");
  report_error("", problem.value("detail", fmt::format("the server answered {}", http_status)),
               problem.value("hint", ""));
}

int refuse(const Status& status) {
  report_error(status);
  return exit_code_of(status);
}

void errors_as_json() {
  as_json = true;
}

void print_progress(std::string_view text) {
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
}

bool write_out(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

void print_line(std::string_view line) {
  if (!write_out(std::string(line) + "\n")) end_without_output(errno);
}

void end_without_output(int error) {
  // A reader that has seen enough (`| head`) needs no message.
  if (error != EPIPE) {
    report_error("write_failed", fmt::format("standard output cannot be written: {}", std::strerror(error)));
  }
  ::_exit(kExitError);
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
