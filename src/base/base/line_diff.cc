#include "base/line_diff.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace holdfast {

namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t kContext = 3;
// Cells of the table that finds what two texts have in common: two bytes each.
constexpr std::size_t kMaxCells = 4 << 20;
constexpr std::size_t kMaxLines = 60'000;  // what two bytes can count

Lines lines_of(std::string_view text) {
  Lines out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

struct Edit {
  char what;  // '-', '+' or ' '
  std::string_view line;
};

void add(std::vector<Edit>& out, char what, const Lines& lines, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) out.push_back({what, lines[i]});
}

// The middle of both, what they begin and end with alike left out, by a longest common subsequence.
void compare(const Lines& before, const Lines& after, std::size_t begin, std::size_t b_end, std::size_t a_end,
             std::vector<Edit>& out) {
  const std::size_t rows = b_end - begin;
  const std::size_t columns = a_end - begin;
  if (rows == 0 || columns == 0 || rows > kMaxLines || columns > kMaxLines ||
      (rows + 1) * (columns + 1) > kMaxCells) {
    add(out, '-', before, begin, b_end);
    add(out, '+', after, begin, a_end);
    return;
  }
  std::vector<std::uint16_t> common((rows + 1) * (columns + 1));
  const auto cell = [&](std::size_t row, std::size_t column) -> std::uint16_t& {
    return common[row * (columns + 1) + column];
  };
  for (std::size_t row = rows; row-- > 0;) {
    for (std::size_t column = columns; column-- > 0;) {
      cell(row, column) = before[begin + row] == after[begin + column]
                              ? static_cast<std::uint16_t>(cell(row + 1, column + 1) + 1)
                              : std::max(cell(row + 1, column), cell(row, column + 1));
    }
  }
  std::size_t row = 0;
  std::size_t column = 0;
  while (row < rows && column < columns) {
    if (before[begin + row] == after[begin + column]) {
      out.push_back({' ', before[begin + row]});
      ++row;
      ++column;
    } else if (cell(row + 1, column) >= cell(row, column + 1)) {
      out.push_back({'-', before[begin + row++]});
    } else {
      out.push_back({'+', after[begin + column++]});
    }
  }
  add(out, '-', before, begin + row, b_end);
  add(out, '+', after, begin + column, a_end);
}

std::vector<std::string> with_context(const std::vector<Edit>& edits) {
  std::vector<bool> shown(edits.size());
  for (std::size_t i = 0; i < edits.size(); ++i) {
    if (edits[i].what == ' ') continue;
    const std::size_t from = i < kContext ? 0 : i - kContext;
    for (std::size_t k = from; k < std::min(edits.size(), i + kContext + 1); ++k) shown[k] = true;
  }
  std::vector<std::string> out;
  bool gap = false;
  for (std::size_t i = 0; i < edits.size(); ++i) {
    if (!shown[i]) {
      gap = true;
      continue;
    }
    if (gap) out.emplace_back("...");
    gap = false;
    out.push_back(edits[i].what + std::string(edits[i].line));
  }
  if (gap && !out.empty()) out.emplace_back("...");
  return out;
}

}  // namespace

std::vector<std::string> line_diff(std::string_view before, std::string_view after) {
  const Lines old_lines = lines_of(before);
  const Lines new_lines = lines_of(after);
  std::size_t begin = 0;
  while (begin < old_lines.size() && begin < new_lines.size() && old_lines[begin] == new_lines[begin])
    ++begin;
  std::size_t b_end = old_lines.size();
  std::size_t a_end = new_lines.size();
  while (b_end > begin && a_end > begin && old_lines[b_end - 1] == new_lines[a_end - 1]) {
    --b_end;
    --a_end;
  }
  std::vector<Edit> edits;
  add(edits, ' ', old_lines, 0, begin);
  compare(old_lines, new_lines, begin, b_end, a_end, edits);
  add(edits, ' ', old_lines, b_end, old_lines.size());
  return with_context(edits);
}

}  // namespace holdfast
