#pragma once

// What `sql:` says, whichever database it is about, and what both make of columns. Pure values and functions.

#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "definition/tool_type.h"

namespace holdfast::agent {

// What `max_rows` and `max_bytes` may ask for.
inline constexpr std::int64_t kMostRows = 10'000;
inline constexpr std::int64_t kMostBytes = 4 << 20;

struct SqlSettings : ToolSettings {
  std::string database;      // SQLite file or address of PostgreSQL; may name `${ENVIRONMENT}` variables
  std::string password_env;  // PostgreSQL's; empty: none is sent
  std::string statement;     // one or more statements; `:argument` parameters are bound, never pasted
  bool read_only = true;
  std::size_t max_rows = 100;
  std::size_t max_bytes = 64 * 1024;
};

// Why not all rows are there, of which `rows` are.
inline std::string why_cut(const SqlSettings& sql, std::size_t rows) {
  const std::string why =
      rows >= sql.max_rows
          ? fmt::format(
                "the answer has more than {} rows: let the statement ask for fewer, or raise "
                "`max_rows` (at most {})",
                sql.max_rows, kMostRows)
          : fmt::format(
                "the answer takes more than {} bytes: let the statement ask for less, or raise "
                "`max_bytes` (at most {})",
                sql.max_bytes, kMostBytes);
  return sql.read_only ? why : why + "; nothing was changed";
}

// A join of two tables often has one name twice: the second becomes `id_2`.
inline std::vector<std::string> distinct_names(const std::vector<std::string>& columns) {
  std::set<std::string> taken(columns.begin(), columns.end());
  std::vector<std::string> names;
  std::map<std::string, int> met;
  for (std::string name : columns) {
    int& times = met[name];
    if (++times > 1) {
      const std::string first = name;
      for (name = fmt::format("{}_{}", first, times); !taken.insert(name).second;)
        name = fmt::format("{}_{}", first, ++times);
    }
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace holdfast::agent
