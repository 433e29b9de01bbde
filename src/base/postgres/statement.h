#pragma once

// Statement: one execution of a statement, on the stack of whoever runs it. Parameters ($1, $2, ...) are
// bound in order and copied; a row's columns are read by number or all at once. Rows arrive one by one, so a
// large answer takes the memory of its largest row; a statement that goes before its last row drops the rest.
// How C++ values are kept:
//
//   std::string, views      bytea        bool, integers, enums   bigint
//   std::optional<T>        NULL or T    WallTime                bigint, nanoseconds since the epoch
//   Array of these          their array
//
// Text is bytea because bytes come back as they went, zeros and broken UTF-8 included, and are compared as
// bytes. The connection keeps what a Literal prepared for the next time. Thread and errors: see
// postgres/connection.h; a failure is in status() when next() has said false.
//
// CopyIn: rows into a table, as fast as the server takes them.

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
#include "postgres/connection.h"

namespace holdfast::postgres {

using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view>;

// One column of many rows, as a parameter.
class Array {
 public:
  enum class Of : std::uint8_t { kBytes, kIntegers };
  explicit Array(Of of) : of_(of) {}
  void add(const Value& value);
  std::string encoded() const;

 private:
  Of of_;
  std::int32_t size_ = 0;
  bool has_null_ = false;
  std::string elements_;
};

class Statement {
 public:
  Statement(Connection& connection, Literal sql) : connection_(connection), literal_(sql) {}
  // Of a text made at run time.
  static Statement once(Connection& connection, std::string sql) {
    return {connection, std::move(sql), Once()};
  }
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // ---- before the first next()

  template <typename... Values>
  Statement& bind(const Values&... values) {
    (bind_one(values), ...);
    return *this;
  }

  // ---- running

  // True while there is a row. Afterwards status() tells the end from a failure.
  bool next();
  const Status& status() const { return status_; }
  // To the end.
  Status run();
  // Rows changed, after run().
  std::int64_t affected() const { return connection_.affected(); }
  // What `read(const Statement&)` makes of the first row; none when there is no row. To the end.
  template <typename Read, typename Row = std::invoke_result_t<Read, const Statement&>>
  Result<std::optional<Row>> one(Read read) {
    std::optional<Row> row;
    if (next()) row.emplace(read(std::as_const(*this)));
    if (Status status = run(); !status.ok()) return fail(status);
    return row;
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
  std::int64_t integer(int column) const;  // bigint, integer or boolean
  std::string text(int column) const { return std::string(view(column)); }
  // Until the next step.
  std::string_view view(int column) const;
  bool is_null(int column) const;

 private:
  struct Parameter {
    std::string bytes;
    bool null = false;
  };
  struct Once {};
  Statement(Connection& connection, std::string sql, Once) : connection_(connection), text_(std::move(sql)) {}

  template <typename T>
  void bind_one(const T& value) {
    if constexpr (std::convertible_to<T, std::string_view>) {
      parameters_.push_back({std::string(std::string_view(value))});
    } else {
      static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
      bind_integer(static_cast<std::int64_t>(value));
    }
  }
  void bind_one(std::nullptr_t) { parameters_.push_back({{}, true}); }
  void bind_one(WallTime value) { bind_integer(value.time_since_epoch().count()); }
  void bind_one(const Array& value) { parameters_.push_back({value.encoded()}); }
  template <typename T>
  void bind_one(const std::optional<T>& value) {
    if (value) return bind_one(*value);
    bind_one(nullptr);
  }
  void bind_integer(std::int64_t value);
  Status send();

  void read_column(int column, std::string& out) const { out = view(column); }
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

  Connection& connection_;
  std::optional<Literal> literal_;
  std::string text_;
  std::vector<Parameter> parameters_;
  Connection::Answer row_;
  bool sent_ = false;
  bool done_ = false;
  Status status_;
};

// COPY table (columns) FROM STDIN (FORMAT binary), row by row. Not used further after a failure.
class CopyIn {
 public:
  explicit CopyIn(Connection& connection) : connection_(connection) {}
  Status begin(const std::string& table_and_columns);
  Status row(const std::vector<Value>& values);
  Status end();

 private:
  Status put(std::string_view bytes);

  Connection& connection_;
  std::string buffer_;
};

}  // namespace holdfast::postgres
