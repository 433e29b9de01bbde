#pragma once

// Rows that are not as they were written. What an agent goes on from (steps, effects, approvals, decisions,
// runs, definitions, branches) and what is accounted by (usage, audit) carries a checksum of its columns,
// which every statement that writes one renews and every read compares: a row with another one is DATA_LOSS
// and is used for nothing. Rows of earlier landings have none until they are next written. Private to this
// room.

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "holdfast/status.h"
#include "platform/damage_log.h"
#include "sqlite/statement.h"

// Of a table's row: the same columns in the same order whoever asks, or what is written into them.
// sqlite::Database::define_row_checksum().
#define ROW_SUM(table, columns) "row_checksum('" table "', " columns ")"
// The last column of whoever reads: 1 when the row is damaged.
#define ROW_DAMAGED(sum, table, columns) "(" sum " IS NOT NULL AND " sum " <> " ROW_SUM(table, columns) ")"

namespace holdfast::platform {

Status damaged_row(std::string_view table, std::string_view key);

inline bool last_column_says_damaged(const sqlite::Statement& row) {
  return row.integer(row.columns() - 1) != 0;
}

// Like Statement::one(). The first column is the row's key, the last one ROW_DAMAGED.
template <typename Read, typename Row = std::invoke_result_t<Read, const sqlite::Statement&>>
Result<std::optional<Row>> sound_one(sqlite::Statement& query, std::string_view table, Read read,
                                     bool (*damaged)(const sqlite::Statement&) = last_column_says_damaged) {
  if (query.next()) {
    if (damaged(query)) return fail(damaged_row(table, query.view(0)));
    return std::optional<Row>(read(std::as_const(query)));
  }
  if (!query.status().ok()) return fail(query.status());
  return std::optional<Row>();
}

// Like Statement::all(), of the first rows that are sound: a page is full whatever is left out of it, so the
// statement itself has no limit.
template <typename Read, typename Row = std::invoke_result_t<Read, const sqlite::Statement&>>
Result<std::vector<Row>> sound_all(
    sqlite::Statement& query, std::string_view table, DamageLog& log, std::size_t limit, Read read,
    bool (*damaged)(const sqlite::Statement&) = last_column_says_damaged,
    const std::function<bool()>& is_full = [] { return false; }) {
  std::vector<Row> rows;
  LeftOut out(table);
  while (rows.size() < limit && !is_full() && query.next()) {
    if (damaged(query)) {
      out.add(query.view(0));
    } else {
      rows.push_back(read(std::as_const(query)));
    }
  }
  log.note(out);
  if (!query.status().ok()) return fail(query.status());
  return rows;
}

}  // namespace holdfast::platform
