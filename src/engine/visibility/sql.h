#pragma once

// A parsed query as SQL over the tables of docs/formats/visibility.md. Everything a user wrote becomes a
// bound parameter; only names from our own tables become SQL text. Pure functions.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sqlite/statement.h"
#include "visibility/index.h"
#include "visibility/query.h"

namespace holdfast::visibility {

// What SQLite stores: times and durations as nanoseconds, booleans as 0 and 1.
using SqlValue = std::variant<std::int64_t, double, std::string>;

SqlValue value_of(const sqlite::Statement& row, int column);

struct Sql {
  std::string text;
  std::vector<SqlValue> parameters;
};

// Type of a search attribute that is no column. Nothing: there is no such attribute.
using AttributeLookup = std::function<std::optional<AttributeType>(const std::string& name)>;

// "1" when the query filters nothing.
Result<Sql> where_clause(const Query& query, const AttributeLookup& attributes);

// Sort keys, never NULL, the last one unique.
struct SortKey {
  std::string sql;
  bool descending = false;
};
Result<std::vector<SortKey>> sort_keys(const Query& query);

// Rows behind the row with these keys.
Sql behind(const std::vector<SortKey>& keys, const std::vector<SqlValue>& values);

// Whether the query asks for counts by ExecutionStatus; nothing else can be grouped by.
Result<bool> grouped_by_status(const Query& query);

std::string status_name(std::int64_t status);  // "Running", ...

// Words of a text attribute, lower case: equality on texts is on words.
std::vector<std::string> text_words(std::string_view text);

}  // namespace holdfast::visibility
