#include "platform_postgres/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "platform_postgres/session.h"
#include "postgres/statement.h"

namespace holdfast::platform {

using postgres::Connection;
using postgres::Statement;

namespace {

std::size_t columns_of(const Table& table) {
  return static_cast<std::size_t>(std::ranges::count(table.columns, ',')) + 1;
}

// What a column of a table is: texts may look like numbers and the other way round.
Result<std::vector<bool>> texts_of(Connection& connection, const Table& table) {
  Statement query = Statement::once(
      connection,
      fmt::format("SELECT format_type(atttypid, NULL) = 'bytea' FROM unnest(string_to_array('{}', "
                  "', ')) WITH ORDINALITY AS c(name, place) JOIN pg_attribute ON attname = c.name AND "
                  "attrelid = '{}'::regclass ORDER BY place",
                  table.columns, table.name));
  std::vector<bool> texts;
  while (query.next()) texts.push_back(query.integer(0) != 0);
  if (!query.status().ok()) return fail(query.status());
  if (texts.size() != columns_of(table))
    return fail(Code::kInternal, fmt::format("the table {} has other columns here", table.name));
  return texts;
}

Result<CopiedTable> digest_there(Connection& connection, const Table& table) {
  Result<std::vector<bool>> texts = texts_of(connection, table);
  if (!texts) return fail(texts.error());
  Statement query = Statement::once(
      connection, fmt::format("SELECT {} FROM {} ORDER BY {}", table.columns, table.name, table.key));
  RowDigest digest;
  std::vector<Cell> cells(texts->size());
  while (query.next()) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const int column = static_cast<int>(i);
      if (query.is_null(column)) {
        cells[i] = nullptr;
      } else if ((*texts)[i]) {
        cells[i] = query.view(column);
      } else {
        cells[i] = query.integer(column);
      }
    }
    digest.add(cells);
  }
  if (!query.status().ok()) return fail(query.status());
  return CopiedTable{std::string(table.name), digest.rows(), digest.sha256()};
}

Result<CopiedTable> digest_here(TableSource& source, const Table& table) {
  RowDigest digest;
  Status status = source.rows(table, [&](std::span<const Cell> row) {
    digest.add(row);
    return Status();
  });
  if (!status.ok()) return fail(status);
  return CopiedTable{std::string(table.name), digest.rows(), digest.sha256()};
}

Result<CopiedTable> copy_table(Connection& connection, TableSource& source, const Table& table) {
  postgres::CopyIn copy(connection);
  Status status = copy.begin(fmt::format("{} ({})", table.name, table.columns));
  if (!status.ok()) return fail(status);
  RowDigest digest;
  std::vector<Cell> cells;
  status = source.rows(table, [&](std::span<const Cell> row) {
    digest.add(row);
    cells.assign(row.begin(), row.end());
    return copy.row(cells);
  });
  // A copy that is left open ends with its connection.
  if (!status.ok()) return fail(status);
  if (status = copy.end(); !status.ok()) return fail(status);
  if (!table.number.empty()) {
    status =
        connection.execute(fmt::format("SELECT setval(pg_get_serial_sequence('{0}', '{1}'), (SELECT "
                                       "coalesce(max({1}), 0) + 1 FROM {0}), false)",
                                       table.name, table.number));
    if (!status.ok()) return fail(status);
  }
  return CopiedTable{std::string(table.name), digest.rows(), digest.sha256()};
}

Status compare(const CopiedTable& here, const CopiedTable& there) {
  if (here.rows == there.rows && here.sha256 == there.sha256) return {};
  return {
      Code::kDataLoss,
      fmt::format("the table {} did not arrive as it is: {} rows ({}) against {} ({}). Nothing was kept",
                  here.name, here.rows, here.sha256.substr(0, 12), there.rows, there.sha256.substr(0, 12))};
}

Result<bool> is_empty(Connection& connection) {
  for (const Table& table : kTables) {
    Statement query =
        Statement::once(connection, fmt::format("SELECT 1::bigint FROM {} LIMIT 1", table.name));
    Result<std::optional<bool>> row = query.one([](const Statement&) { return true; });
    if (!row) return fail(row.error());
    if (*row) return false;
  }
  return true;
}

Status keep_epoch(Connection& connection, TableSource& source) {
  Result<std::string> epoch = source.epoch();
  if (!epoch) return epoch.error();
  return Statement(connection, "UPDATE identity SET epoch = $1").bind(*epoch).run();
}

Status copy_all(Connection& connection, TableSource& source, std::vector<CopiedTable>& out) {
  for (const Table& table : kTables) {
    Result<CopiedTable> here = copy_table(connection, source, table);
    if (!here) return here.error();
    out.push_back(*std::move(here));
  }
  std::size_t next = 0;
  for (const Table& table : kTables) {
    Result<CopiedTable> there = digest_there(connection, table);
    if (!there) return there.error();
    if (Status status = compare(out[next++], *there); !status.ok()) return status;
  }
  return keep_epoch(connection, source);
}

// A copy whose last answer was lost, or that was asked for twice.
Status compare_all(Connection& connection, TableSource& source, std::vector<CopiedTable>& out) {
  for (const Table& table : kTables) {
    Result<CopiedTable> here = digest_here(source, table);
    if (!here) return here.error();
    Result<CopiedTable> there = digest_there(connection, table);
    if (!there) return there.error();
    if (!compare(*here, *there).ok()) {
      return {Code::kFailedPrecondition,
              fmt::format("{} holds other rows already (in {}): a copy needs a schema without any",
                          connection.address().text(), table.name)};
    }
    out.push_back(*std::move(here));
  }
  return {};
}

}  // namespace

Result<Copied> copy_into_postgres(Connection& connection, TableSource& source, const Clock& clock,
                                  Random& random) {
  if (Status status = migrate_schema(connection, clock, random); !status.ok()) return fail(status);
  if (Status status = lock_writers(connection, clock); !status.ok()) return fail(status);
  Copied out;
  const Result<bool> empty = is_empty(connection);
  if (!empty) return fail(empty.error());
  Status status =
      *empty ? postgres::in_transaction(connection, [&] { return copy_all(connection, source, out.tables); })
             : compare_all(connection, source, out.tables);
  if (!status.ok()) return fail(status);
  Result<std::optional<std::string>> identity =
      Statement(connection, "SELECT id FROM identity").one([](const Statement& row) { return row.text(0); });
  if (!identity) return fail(identity.error());
  out.identity = identity->value_or("");
  return out;
}

Result<PostgresHealth> postgres_health(Connection& connection, const Clock& clock) {
  const MonotonicTime begin = clock.monotonic();
  if (Status status = connection.execute("SELECT 1"); !status.ok()) return fail(status);
  const double took = std::chrono::duration<double, std::milli>(clock.monotonic() - begin).count();
  Result<std::optional<PostgresHealth>> found =
      Statement(connection,
                "SELECT current_setting('server_version'), current_setting('fsync') = 'on', "
                "current_setting('data_checksums') = 'on'")
          .one([&](const Statement& row) {
            return PostgresHealth{row.text(0), row.integer(1) != 0, row.integer(2) != 0, took};
          });
  if (!found) return fail(found.error());
  return found->value_or(PostgresHealth());
}

}  // namespace holdfast::platform
