#include "sqlite/statement.h"

#include <sqlite3.h>

namespace holdfast::sqlite {

Statement::Statement(Database& db, Literal sql) : db_(db) {
  bool cached = false;
  statement_ = db.borrow(sql, cached);
  if (cached) cached_ = sql;
  if (statement_ == nullptr) status_ = db.failure(std::string_view(sql.text()).substr(0, 40));
}

Statement Statement::once(Database& db, std::string_view sql) {
  return first_of(db, sql);
}

Statement Statement::first_of(Database& db, std::string_view& script) {
  sqlite3_stmt* statement = nullptr;
  if (script.empty()) return Statement(db, statement);
  const char* rest = script.data();
  const int code =
      sqlite3_prepare_v3(db.db_, script.data(), static_cast<int>(script.size()), 0, &statement, &rest);
  const std::string_view doing = script.substr(0, 40);
  script.remove_prefix(static_cast<std::size_t>(rest - script.data()));
  return code == SQLITE_OK ? Statement(db, statement) : Statement(db, db.failure(doing));
}

Statement::~Statement() {
  if (cached_) {
    db_.give_back(*cached_);
  } else {
    sqlite3_finalize(statement_);
  }
}

bool Statement::next() {
  if (statement_ == nullptr || done_ || !status_.ok()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  done_ = true;
  if (code != SQLITE_DONE) status_ = db_.failure(std::string_view(sqlite3_sql(statement_)).substr(0, 40));
  return false;
}

Status Statement::run() {
  while (next()) {
  }
  return status_;
}

void Statement::bound(int code) {
  if (code != SQLITE_OK && status_.ok()) status_ = db_.failure("a parameter");
}

void Statement::bind_text(int parameter, std::string_view value) {
  if (statement_ == nullptr) return;
  // A view without data is an empty text, not NULL.
  const char* data = value.data() == nullptr ? "" : value.data();
  bound(sqlite3_bind_text64(statement_, parameter, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind_integer(int parameter, std::int64_t value) {
  if (statement_ != nullptr) bound(sqlite3_bind_int64(statement_, parameter, value));
}

void Statement::bind_real(int parameter, double value) {
  if (statement_ != nullptr) bound(sqlite3_bind_double(statement_, parameter, value));
}

void Statement::bind_at(int parameter, std::nullptr_t) {
  if (statement_ != nullptr) bound(sqlite3_bind_null(statement_, parameter));
}

void Statement::bind_at(int parameter, const Blob& value) {
  if (statement_ == nullptr) return;
  const char* data = value.bytes.data() == nullptr ? "" : value.bytes.data();
  bound(sqlite3_bind_blob64(statement_, parameter, data, value.bytes.size(), SQLITE_TRANSIENT));
}

int Statement::parameters() const {
  return sqlite3_bind_parameter_count(statement_);
}

std::string_view Statement::parameter_name(int parameter) const {
  const char* name = sqlite3_bind_parameter_name(statement_, parameter);
  return name == nullptr ? std::string_view() : name;
}

bool Statement::writes() const {
  return sqlite3_stmt_readonly(statement_) == 0;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::string_view Statement::view(int column) const {
  // As text a value comes in UTF-8, whatever the file's encoding.
  const void* bytes = sqlite3_column_type(statement_, column) == SQLITE_BLOB
                          ? sqlite3_column_blob(statement_, column)
                          : static_cast<const void*>(sqlite3_column_text(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

ColumnType Statement::type(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER: return ColumnType::kInteger;
    case SQLITE_FLOAT: return ColumnType::kReal;
    case SQLITE_BLOB: return ColumnType::kBlob;
    case SQLITE_NULL: return ColumnType::kNull;
    default: return ColumnType::kText;
  }
}

int Statement::columns() const {
  return sqlite3_column_count(statement_);
}

std::string_view Statement::column_name(int column) const {
  return sqlite3_column_name(statement_, column);
}

}  // namespace holdfast::sqlite
