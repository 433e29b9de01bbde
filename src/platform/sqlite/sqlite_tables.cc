#include "platform_sqlite/sqlite_tables.h"

#include <fmt/format.h>

#include <vector>

#include "base/sha256.h"
#include "platform_sqlite/row_check.h"
#include "platform_sqlite/schema.h"
#include "sqlite/statement.h"

namespace holdfast::platform {

using sqlite::ColumnType;
using sqlite::Database;
using sqlite::Statement;

namespace {

// The columns of a row's checksum: those of the table but its number. The hash of a definition says its text,
// and that of a message, too (docs/formats/platform-store.md).
std::string sealed_columns(const Table& table) {
  if (table.name == "definitions") return "name, hash, at";
  for (std::string_view none : {"messages", "gone_histories", "unkept_runs", "usage_days", "events"}) {
    if (table.name == none) return {};
  }
  std::string_view columns = table.columns;
  if (!table.number.empty()) columns.remove_prefix(table.number.size() + 2);
  return std::string(columns);
}

std::string query_of(const Table& table) {
  const std::string sealed = sealed_columns(table);
  const std::string damaged =
      sealed.empty()
          ? std::string("0")
          : fmt::format("(checksum IS NOT NULL AND checksum <> row_checksum('{}', {}))", table.name, sealed);
  return fmt::format("SELECT {}, {} FROM {} ORDER BY {}", table.columns, damaged, table.name, table.key);
}

// What carries its own hash beside it.
bool is_as_hashed(const Table& table, std::span<const Cell> row) {
  const auto text = [&](std::size_t column) { return std::get<std::string_view>(row[column]); };
  if (table.name == "messages") return sha256_hex(text(3)) == text(4);
  if (table.name == "definitions") return sha256_hex(text(2)) == text(1);
  return true;
}

class SqliteTables : public TableSource {
 public:
  Status open(const std::filesystem::path& directory) {
    Status status = open_file(store_, directory / "platform.db", {.pragmas = kPragmas});
    if (status.ok()) status = open_file(streams_, directory / "streams.db", {.pragmas = kPragmas});
    for (Database* db : {&store_, &streams_}) {
      if (status.ok()) status = db->execute("PRAGMA query_only=ON");
    }
    return status;
  }

  Status rows(const Table& table, const std::function<Status(std::span<const Cell>)>& each) override {
    const std::string sql = query_of(table);
    Statement query = Statement::once(table.of_streams ? streams_ : store_, sql);
    std::vector<Cell> cells;
    while (query.next()) {
      const int columns = query.columns() - 1;
      cells.clear();
      for (int i = 0; i < columns; ++i) cells.push_back(cell_of(query, i));
      if (query.integer(columns) != 0 || !is_as_hashed(table, cells)) {
        return damaged_row(table.name, query.text(table.number.empty() ? 0 : 1));
      }
      if (Status status = each(cells); !status.ok()) return status;
    }
    return query.status();
  }

  Result<std::string> epoch() override {
    Statement query(streams_, "SELECT epoch FROM meta");
    Result<std::optional<std::string>> found = query.one([](const Statement& row) { return row.text(0); });
    if (!found) return fail(found.error());
    if (!*found) return fail(Code::kDataLoss, "streams.db has no epoch");
    return std::move(**found);
  }

 private:
  static Cell cell_of(const Statement& row, int column) {
    switch (row.type(column)) {
      case ColumnType::kNull: return nullptr;
      case ColumnType::kInteger: return row.integer(column);
      default: return row.view(column);
    }
  }

  Database store_;
  Database streams_;
};

}  // namespace

Result<std::unique_ptr<TableSource>> open_sqlite_tables(const std::filesystem::path& directory) {
  auto out = std::make_unique<SqliteTables>();
  if (Status status = out->open(directory); !status.ok()) return fail(status);
  return out;
}

}  // namespace holdfast::platform
