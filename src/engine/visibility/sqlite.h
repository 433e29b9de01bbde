#pragma once

// SQLite in the shape this module needs: a connection, a statement, statuses. Not thread-safe; the index
// locks.

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/status.h"
#include "visibility/sql.h"

namespace holdfast::visibility {

// kDataLoss for a damaged file or one that is no database, kResourceExhausted for a full disk, kInternal for
// the rest.
Status sqlite_status(sqlite3* db, int code, std::string_view doing);

class Statement {
 public:
  static Result<Statement> prepare(sqlite3* db, std::string_view sql);

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, double value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, const SqlValue& value);
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind(int index, std::optional<std::int64_t> value);

  // True: a row is there. Bound texts must live until reset().
  Result<bool> step();
  // Runs to the end and resets.
  Status run();
  void reset();

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string_view text(int column) const;
  bool is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  SqlValue value(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// `vfs` empty: the default one.
Result<Database> open_database(const std::string& path, const std::string& vfs);
// Statements without results, separated by semicolons.
Status execute(sqlite3* db, const char* sql);

}  // namespace holdfast::visibility
