#include "sqlite/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "base/sha256.h"
#include "base/storage_fault.h"
#include "sqlite/heap_limit.h"
#include "sqlite/statement.h"

namespace holdfast::sqlite {

namespace {

// Of statements that somebody else wrote: SQLite walks expressions on the stack, and a row has a register for
// each column.
constexpr int kMaxForeignExpressionDepth = 200;
constexpr int kMaxForeignColumns = 500;

Status status_of(int code, std::string message) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return with_fault(Code::kUnavailable, StorageFault::kLocked,
                        message + ". Another process has it open: stop that one first");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return with_fault(Code::kFailedPrecondition, StorageFault::kReadOnly,
                        message + ". Make the data directory and its files writable for this user");
    case SQLITE_FULL:
      return with_fault(Code::kResourceExhausted, StorageFault::kFull,
                        message + ". Nothing was written; free some disk space and repeat");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return with_fault(Code::kDataLoss, StorageFault::kCorrupt,
                        message + ". The file is damaged: restore it from a backup");
    case SQLITE_TOOBIG: return {Code::kInvalidArgument, std::move(message)};
    case SQLITE_INTERRUPT: return {Code::kCancelled, std::move(message)};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return with_fault(Code::kUnavailable, StorageFault::kIo, std::move(message));
    default: return {Code::kInternal, std::move(message)};
  }
}

int open_flags(Access access) {
  switch (access) {
    case Access::kReadOnly: return SQLITE_OPEN_READONLY;
    case Access::kReadWrite: return SQLITE_OPEN_READWRITE;
    case Access::kCreate: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  HF_CHECK(false);
  return 0;
}

int ask(void* stop) {
  return (*static_cast<std::function<bool()>*>(stop))() ? 1 : 0;
}

// A value with its type and length, so that two rows are never the same bytes.
void hash_value(Sha256& hash, sqlite3_value* value) {
  const auto number = [&hash](std::uint64_t bits) {
    std::array<char, 8> bytes;
    for (char& byte : bytes) {
      byte = static_cast<char>(bits & 0xff);
      bits >>= 8;
    }
    hash.update({bytes.data(), bytes.size()});
  };
  const int type = sqlite3_value_type(value);
  number(static_cast<std::uint64_t>(type));
  switch (type) {
    case SQLITE_NULL: return;
    case SQLITE_INTEGER: return number(static_cast<std::uint64_t>(sqlite3_value_int64(value)));
    case SQLITE_FLOAT: return number(std::bit_cast<std::uint64_t>(sqlite3_value_double(value)));
    default: {
      const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
      const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
      number(size);
      if (size > 0) hash.update({bytes, size});
    }
  }
}

void row_checksum(sqlite3_context* context, int count, sqlite3_value** values) {
  Sha256 hash;
  for (int i = 0; i < count; ++i) hash_value(hash, values[i]);
  sqlite3_result_int64(context, static_cast<sqlite3_int64>(hash.first_64_bits()));
}

int authorize(void*, int action, const char*, const char* name, const char*, const char*) {
  switch (action) {
    // It takes a pointer to code, or tells one.
    case SQLITE_FUNCTION: return std::string_view(name) == "fts3_tokenizer" ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_PRAGMA: return SQLITE_DENY;
    default: return SQLITE_OK;
  }
}

}  // namespace

Database::~Database() {
  for (auto& [sql, cached] : statements_) sqlite3_finalize(cached.statement);
  sqlite3_close(db_);
}

Status Database::open(const std::filesystem::path& path, const Options& options) {
  HF_CHECK(db_ == nullptr);
  watch_heap();
  name_ = path.filename().string();
  const char* vfs = options.vfs.empty() ? nullptr : options.vfs.c_str();
  if (vfs != nullptr && sqlite3_vfs_find(vfs) == nullptr) {
    return {Code::kInvalidArgument, fmt::format("there is no SQLite VFS \"{}\"", options.vfs)};
  }
  const int flags = open_flags(options.access) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (const int code = sqlite3_open_v2(path.c_str(), &db_, flags, vfs); code != SQLITE_OK) {
    return status_of(code, fmt::format("cannot open {}: {}", path.string(), message()));
  }
  sqlite3_busy_timeout(db_, static_cast<int>(options.busy_timeout.count()));
  return execute(options.pragmas);
}

Status Database::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return failure(std::string_view(sql).substr(0, 40));
}

Status Database::run(Literal sql) {
  return Statement(*this, sql).run();
}

Result<std::int64_t> Database::number(Literal sql) {
  Statement statement(*this, sql);
  if (statement.next()) return statement.integer(0);
  if (!statement.status().ok()) return fail(statement.status());
  return fail(with_fault(Code::kDataLoss, StorageFault::kCorrupt,
                         fmt::format("{}: no row for {}. The file is damaged", name_, sql.text())));
}

Result<Database::Beginning> Database::beginning(Literal table, Literal column, std::int64_t row,
                                                std::size_t most) const {
  sqlite3_blob* blob = nullptr;
  const int opened = sqlite3_blob_open(db_, "main", table.text(), column.text(), row, 0, &blob);
  if (opened != SQLITE_OK) return fail(failure("reading the beginning of a value"));
  Beginning out;
  out.of = static_cast<std::size_t>(sqlite3_blob_bytes(blob));
  out.bytes.resize(std::min(most, out.of));
  const int read = sqlite3_blob_read(blob, out.bytes.data(), static_cast<int>(out.bytes.size()), 0);
  Status status = read == SQLITE_OK ? Status() : failure("reading the beginning of a value");
  sqlite3_blob_close(blob);
  if (!status.ok()) return fail(std::move(status));
  return out;
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(db_) == 0;
}

int Database::changes() const {
  return sqlite3_changes(db_);
}

int Database::total_changes() const {
  return sqlite3_total_changes(db_);
}

bool Database::read_only() const {
  return sqlite3_db_readonly(db_, "main") == 1;
}

void Database::stop_when(std::function<bool()> stop) {
  stop_ = std::move(stop);
  sqlite3_progress_handler(db_, kOpsBetweenLooks, stop_ ? ask : nullptr, &stop_);
}

void Database::confine(bool on) {
  sqlite3_set_authorizer(db_, on ? authorize : nullptr, nullptr);
}

void Database::bound_values(int bytes) {
  sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, bytes);
  sqlite3_limit(db_, SQLITE_LIMIT_EXPR_DEPTH, kMaxForeignExpressionDepth);
  sqlite3_limit(db_, SQLITE_LIMIT_COLUMN, kMaxForeignColumns);
  sqlite3_limit(db_, SQLITE_LIMIT_WORKER_THREADS, 0);
  (void)execute("PRAGMA temp_store=FILE; PRAGMA cache_size=-8192");
}

void Database::release_memory() {
  (void)sqlite3_db_release_memory(db_);
}

Status Database::define_row_checksum() {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  const int code =
      sqlite3_create_function(db_, "row_checksum", -1, kFlags, nullptr, row_checksum, nullptr, nullptr);
  return code == SQLITE_OK ? Status() : failure("row_checksum");
}

Status Database::copy_to(const std::filesystem::path& path, const std::function<bool()>& give_up) {
  constexpr int kPagesAtOnce = 256;
  Database target;
  // It is nobody's yet: no journal, no sync.
  Status status = target.open(path, {.pragmas = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF"});
  if (!status.ok()) return status;
  sqlite3_backup* backup = sqlite3_backup_init(target.db_, "main", db_, "main");
  if (backup == nullptr) return target.failure("copying");
  int code = SQLITE_OK;
  while (code == SQLITE_OK) {
    if (give_up && give_up()) {
      sqlite3_backup_finish(backup);
      return {Code::kCancelled, "given up"};
    }
    code = sqlite3_backup_step(backup, kPagesAtOnce);
  }
  sqlite3_backup_finish(backup);
  if (code == SQLITE_DONE) return {};
  return status_of(code, fmt::format("copying {} to {}: {}", name_, path.string(), sqlite3_errstr(code)));
}

Status Database::failure(std::string_view doing) const {
  return status_of(sqlite3_extended_errcode(db_), fmt::format("{}: {}: {}", name_, doing, message()));
}

std::string Database::message() const {
  return db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(SQLITE_NOMEM);
}

bool Database::may_pass() const {
  switch (sqlite3_errcode(db_) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_NOMEM: return true;
    default: return false;
  }
}

bool Database::sync_failed() const {
  const int code = sqlite3_extended_errcode(db_);
  return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

sqlite3_stmt* Database::borrow(Literal sql, bool& cached) {
  Cached& entry = statements_[sql.text()];
  cached = !entry.lent;
  if (cached && entry.statement != nullptr) {
    entry.lent = true;
    return entry.statement;
  }
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v3(db_, sql.text(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  cached = cached && statement != nullptr;
  if (cached) entry = {statement, true};
  return statement;
}

void Database::give_back(Literal sql) {
  Cached& entry = statements_.at(sql.text());
  sqlite3_reset(entry.statement);
  sqlite3_clear_bindings(entry.statement);
  entry.lent = false;
}

Status check_whole(const std::filesystem::path& path) {
  Database db;
  if (Status status = db.open(path, {.access = Access::kReadOnly}); !status.ok()) return status;
  Statement query(db, "PRAGMA integrity_check(1)");
  auto first = query.one([](const Statement& row) { return row.text(0); });
  if (!first) return first.error();
  if (*first && **first == "ok") return {};
  return {Code::kDataLoss, fmt::format("{}: {}", path.filename().string(), first->value_or("no answer"))};
}

Status make_shrinkable(Database& db) {
  constexpr std::int64_t kIncremental = 2;
  const auto mode = db.number("PRAGMA auto_vacuum");
  if (!mode) return mode.error();
  if (*mode == kIncremental) return {};
  Status status = db.execute("PRAGMA auto_vacuum=INCREMENTAL; VACUUM");
  return fault_of(status) == StorageFault::kFull ? Status() : status;
}

void remove_database(const std::filesystem::path& path, const std::string& vfs_name) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(vfs_name.empty() ? nullptr : vfs_name.c_str());
  if (vfs == nullptr) return;
  for (const char* suffix : {"-wal", "-shm", "-journal", ""})
    (void)vfs->xDelete(vfs, (path.string() + suffix).c_str(), 1);
}

}  // namespace holdfast::sqlite
