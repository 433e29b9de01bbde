#pragma once

// Statement: one execution of a prepared statement, on the stack of whoever runs it. Parameters are bound in
// order and copied; a row's columns are read by number or all at once. How C++ values are kept:
//
//   std::string, views   TEXT          bool, integers, enums   INTEGER
//   Blob                 BLOB          double                  REAL
//   std::optional<T>     NULL or T     WallTime                INTEGER, nanoseconds since the epoch
//
// The database keeps what a Literal prepared for the next time. Thread and errors: see sqlite/database.h; a
// failure, of preparing and binding too, is in status() when next() has said false.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "sqlite/database.h"

namespace holdfast::sqlite {

struct Blob {
  explicit Blob(std::string_view b) : bytes(b) {}
  std::string_view bytes;
};

enum class ColumnType : std::uint8_t { kInteger, kReal, kText, kBlob, kNull };

class Statement {
 public:
  Statement(Database& db, Literal sql);
  // Of a text made at run time: prepared for this execution alone.
  static Statement once(Database& db, std::string_view sql);
  // The first statement of a script, which loses it. None() when there was white space or a comment only.
  static Statement first_of(Database& db, std::string_view& script);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // ---- before the first next()

  template <typename... Values>
  Statement& bind(const Values&... values) {
    (bind_at(++bound_, values), ...);
    return *this;
  }
  // Parameters count from 1.
  template <typename T>
  void bind_at(int parameter, const T& value) {
    if constexpr (std::convertible_to<T, std::string_view>) {
      bind_text(parameter, value);
    } else if constexpr (std::is_floating_point_v<T>) {
      bind_real(parameter, value);
    } else {
      static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
      bind_integer(parameter, static_cast<std::int64_t>(value));
    }
  }
  void bind_at(int parameter, std::nullptr_t);
  void bind_at(int parameter, const Blob& value);
  void bind_at(int parameter, WallTime value) { bind_integer(parameter, value.time_since_epoch().count()); }
  template <typename T>
  void bind_at(int parameter, const std::optional<T>& value) {
    if (value) {
      bind_at(parameter, *value);
    } else {
      bind_at(parameter, nullptr);
    }
  }
  template <typename... T>
  void bind_at(int parameter, const std::variant<T...>& value) {
    std::visit([&](const auto& v) { bind_at(parameter, v); }, value);
  }
  int parameters() const;
  // With its sign, ":order"; empty: it has none.
  std::string_view parameter_name(int parameter) const;
  bool none() const { return statement_ == nullptr && status_.ok(); }
  bool writes() const;

  // ---- running

  // True while there is a row. Afterwards status() tells the end from a failure.
  bool next();
  const Status& status() const { return status_; }
  // To the end.
  Status run();
  // What `read(const Statement&)` makes of the first row; none when there is no row.
  template <typename Read, typename Row = std::invoke_result_t<Read, const Statement&>>
  Result<std::optional<Row>> one(Read read) {
    if (next()) return std::optional<Row>(read(std::as_const(*this)));
    if (!status_.ok()) return fail(status_);
    return std::optional<Row>();
  }
  // And of all rows.
  template <typename Read, typename Row = std::invoke_result_t<Read, const Statement&>>
  Result<std::vector<Row>> all(Read read) {
    std::vector<Row> rows;
    while (next()) rows.push_back(read(std::as_const(*this)));
    if (!status_.ok()) return fail(status_);
    return rows;
  }

  // ---- the row; columns count from 0

  // The columns from `first` on, one to a field.
  template <typename... Fields>
  void read_from(int first, Fields&... fields) const {
    (read_column(first++, fields), ...);
  }
  template <typename... Fields>
  void read(Fields&... fields) const {
    read_from(0, fields...);
  }
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const { return std::string(view(column)); }
  // Text or blob, until the next step.
  std::string_view view(int column) const;
  bool is_null(int column) const { return type(column) == ColumnType::kNull; }
  ColumnType type(int column) const;
  int columns() const;
  std::string_view column_name(int column) const;

 private:
  Statement(Database& db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  Statement(Database& db, Status failed) : db_(db), status_(std::move(failed)) {}
  void bind_text(int parameter, std::string_view value);
  void bind_integer(int parameter, std::int64_t value);
  void bind_real(int parameter, double value);
  void bound(int code);

  void read_column(int column, std::string& out) const { out = view(column); }
  void read_column(int column, double& out) const { out = real(column); }
  void read_column(int column, WallTime& out) const {
    out = WallTime(std::chrono::nanoseconds(integer(column)));
  }
  template <typename T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>)
  void read_column(int column, T& out) const {
    out = static_cast<T>(integer(column));
  }
  template <typename T>
  void read_column(int column, std::optional<T>& out) const {
    out.reset();
    if (!is_null(column)) read_column(column, out.emplace());
  }

  Database& db_;
  std::optional<Literal> cached_;  // the cache has it
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
  bool done_ = false;
  Status status_;
};

}  // namespace holdfast::sqlite
