#include "postgres/statement.h"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace holdfast::postgres {

namespace {

constexpr std::int32_t kByteaOid = 17;
constexpr std::int32_t kBigintOid = 20;

template <typename T>
void put_number(std::string& out, T value) {
  const auto bits = std::byteswap(static_cast<std::make_unsigned_t<T>>(value));
  static_assert(std::endian::native == std::endian::little);
  out.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
}

template <typename T>
T get_number(const char* bytes) {
  std::make_unsigned_t<T> bits = 0;
  std::memcpy(&bits, bytes, sizeof(bits));
  return static_cast<T>(std::byteswap(bits));
}

// As a field of a binary row and an element of a binary array: the length, then the bytes.
void put_value(std::string& out, const Value& value) {
  if (std::holds_alternative<std::nullptr_t>(value)) return put_number(out, std::int32_t{-1});
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    put_number(out, std::int32_t{sizeof(*number)});
    return put_number(out, *number);
  }
  const std::string_view bytes = std::get<std::string_view>(value);
  put_number(out, static_cast<std::int32_t>(bytes.size()));
  out.append(bytes);
}

}  // namespace

void Array::add(const Value& value) {
  has_null_ = has_null_ || std::holds_alternative<std::nullptr_t>(value);
  put_value(elements_, value);
  ++size_;
}

std::string Array::encoded() const {
  std::string out;
  put_number(out, std::int32_t{size_ == 0 ? 0 : 1});  // dimensions
  put_number(out, std::int32_t{has_null_ ? 1 : 0});
  put_number(out, of_ == Of::kBytes ? kByteaOid : kBigintOid);
  if (size_ == 0) return out;
  put_number(out, size_);
  put_number(out, std::int32_t{1});  // the first index
  return out + elements_;
}

Statement::~Statement() {
  if (sent_ && !done_) (void)connection_.finish();
}

void Statement::bind_integer(std::int64_t value) {
  Parameter& parameter = parameters_.emplace_back();
  put_number(parameter.bytes, value);
}

Status Statement::send() {
  if (connection_.lost()) return connection_.lose("the connection is lost");
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const Parameter& parameter : parameters_) {
    values.push_back(parameter.null ? nullptr : parameter.bytes.data());
    lengths.push_back(static_cast<int>(parameter.bytes.size()));
  }
  const std::vector<int> formats(parameters_.size(), 1);
  const int count = static_cast<int>(parameters_.size());
  int sent = 0;
  if (literal_) {
    Result<std::string> name = connection_.prepared(*literal_);
    if (!name) return name.error();
    sent = PQsendQueryPrepared(connection_.pg_, name->c_str(), count, values.data(), lengths.data(),
                               formats.data(), 1);
  } else {
    sent = PQsendQueryParams(connection_.pg_, text_.c_str(), count, nullptr, values.data(), lengths.data(),
                             formats.data(), 1);
  }
  if (sent == 0 || PQsetSingleRowMode(connection_.pg_) == 0)
    return connection_.lose(PQerrorMessage(connection_.pg_));
  parameters_.clear();
  return connection_.flush();
}

bool Statement::next() {
  row_.reset();
  if (done_ || !status_.ok()) return false;
  if (!sent_) {
    sent_ = true;
    connection_.affected_ = 0;
    status_ = send();
    if (!status_.ok()) {
      done_ = true;
      return false;
    }
  }
  Result<Connection::Answer> answer = connection_.next_answer();
  if (answer && *answer != nullptr && PQresultStatus(answer->get()) == PGRES_SINGLE_TUPLE) {
    row_ = std::move(*answer);
    return true;
  }
  done_ = true;
  if (!answer) {
    status_ = answer.error();
  } else if (*answer != nullptr) {
    const ExecStatusType what = PQresultStatus(answer->get());
    const bool good = what == PGRES_TUPLES_OK || what == PGRES_COMMAND_OK;
    if (good) {
      connection_.affected_ = std::strtoll(PQcmdTuples(answer->get()), nullptr, 10);
    } else {
      status_ = connection_.failure(answer->get());
    }
    const std::int64_t affected = connection_.affected_;
    Status rest = connection_.finish();
    connection_.affected_ = affected;
    if (status_.ok()) status_ = std::move(rest);
  }
  return false;
}

Status Statement::run() {
  while (next()) {
  }
  return status_;
}

std::int64_t Statement::integer(int column) const {
  if (is_null(column)) return 0;
  const char* bytes = PQgetvalue(row_.get(), 0, column);
  switch (PQgetlength(row_.get(), 0, column)) {
    case 1: return *bytes;
    case 4: return get_number<std::int32_t>(bytes);
    case 8: return get_number<std::int64_t>(bytes);
    default: HF_CHECK(!"a column of another type than its table says");
  }
}

std::string_view Statement::view(int column) const {
  return {PQgetvalue(row_.get(), 0, column), static_cast<std::size_t>(PQgetlength(row_.get(), 0, column))};
}

bool Statement::is_null(int column) const {
  return PQgetisnull(row_.get(), 0, column) != 0;
}

Status CopyIn::begin(const std::string& table_and_columns) {
  if (Status status = connection_.execute("COPY " + table_and_columns + " FROM STDIN (FORMAT binary)");
      !status.ok())
    return status;
  // Signature, flags, no extension. https://www.postgresql.org/docs/15/sql-copy.html
  buffer_.assign("PGCOPY\n\377\r\n\0", 11);
  put_number(buffer_, std::int32_t{0});
  put_number(buffer_, std::int32_t{0});
  return {};
}

Status CopyIn::row(const std::vector<Value>& values) {
  put_number(buffer_, static_cast<std::int16_t>(values.size()));
  for (const Value& value : values) put_value(buffer_, value);
  constexpr std::size_t kEnough = 256 << 10;
  if (buffer_.size() < kEnough) return {};
  const std::string full = std::exchange(buffer_, {});
  return put(full);
}

Status CopyIn::put(std::string_view bytes) {
  if (connection_.lost()) return connection_.lose("the connection is lost");
  while (true) {
    const int taken = PQputCopyData(connection_.pg_, bytes.data(), static_cast<int>(bytes.size()));
    if (taken < 0) return connection_.lose(PQerrorMessage(connection_.pg_));
    if (Status status = connection_.flush(); !status.ok()) return status;
    if (taken > 0) return {};
  }
}

Status CopyIn::end() {
  put_number(buffer_, std::int16_t{-1});
  if (Status status = put(std::exchange(buffer_, {})); !status.ok()) return status;
  while (true) {
    const int taken = PQputCopyEnd(connection_.pg_, nullptr);
    if (taken < 0) return connection_.lose(PQerrorMessage(connection_.pg_));
    if (Status status = connection_.flush(); !status.ok()) return status;
    if (taken > 0) return connection_.finish();
  }
}

}  // namespace holdfast::postgres
