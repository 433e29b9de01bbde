#include "platform_sqlite/sqlite.h"

#include <sqlite3.h>

#include "base/check.h"
#include "platform/fault.h"

namespace holdfast::platform {

namespace {

Status from_sqlite(int extended, const std::string& message) {
  switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return with_fault(Code::kUnavailable, StoreFault::kLocked,
                        message + ". Another process has it open: stop that one first");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return with_fault(Code::kFailedPrecondition, StoreFault::kReadOnly,
                        message + ". Make the data directory and its files writable for this user");
    case SQLITE_FULL:
      return with_fault(Code::kResourceExhausted, StoreFault::kFull,
                        message + ". Nothing was written; free some disk space and repeat");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return with_fault(Code::kDataLoss, StoreFault::kCorrupt,
                        message + ". The file is damaged: restore it from a backup");
    case SQLITE_TOOBIG: return Status(Code::kInvalidArgument, message);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return with_fault(Code::kUnavailable, StoreFault::kIo, message);
    default: return Status(Code::kInternal, message);
  }
}

bool is_failed_sync(sqlite3* db) {
  const int code = sqlite3_extended_errcode(db);
  return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

}  // namespace

Status newer_version(const std::string& message) {
  return with_fault(Code::kFailedPrecondition, StoreFault::kNewer, message);
}

// ---- Db

Result<std::unique_ptr<Db>> Db::connect(const std::filesystem::path& path, const std::string& vfs) {
  std::unique_ptr<Db> db(new Db());
  db->name_ = path.filename().string();
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(path.c_str(), &db->db_, flags, vfs.empty() ? nullptr : vfs.c_str()) != SQLITE_OK) {
    const std::string why = db->db_ ? sqlite3_errmsg(db->db_) : "out of memory";
    return fail(from_sqlite(db->db_ ? sqlite3_extended_errcode(db->db_) : SQLITE_NOMEM,
                            "cannot open " + path.string() + ": " + why));
  }
  if (sqlite3_db_readonly(db->db_, "main") == 1) {
    return fail(from_sqlite(SQLITE_READONLY, path.string() + " is read-only"));
  }
  return db;
}

Result<std::unique_ptr<Db>> Db::open_lock(const std::filesystem::path& path, const std::string& vfs) {
  Result<std::unique_ptr<Db>> db = connect(path, vfs);
  if (!db) return db;
  if (Status status = (*db)->exec("BEGIN EXCLUSIVE"); !status.ok()) return fail(status);
  return db;
}

Result<std::unique_ptr<Db>> Db::open(const std::filesystem::path& path, const std::string& vfs) {
  Result<std::unique_ptr<Db>> db = connect(path, vfs);
  if (db) sqlite3_busy_timeout((*db)->db_, 2000);
  return db;
}

Result<std::unique_ptr<Db>> Db::open_reader(const std::filesystem::path& path, const std::string& vfs) {
  Result<std::unique_ptr<Db>> db = open(path, vfs);
  if (!db) return db;
  if (Status status = (*db)->use_wal(); !status.ok()) return fail(status);
  if (Status status = (*db)->exec("PRAGMA query_only=ON"); !status.ok()) return fail(status);
  return db;
}

Status Db::use_wal() {
  for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA temp_store=MEMORY",
                          "PRAGMA cache_size=-1024", "PRAGMA journal_size_limit=67108864"}) {
    if (Status status = exec(sql); !status.ok()) return status;
  }
  return {};
}

Db::~Db() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

Status Db::failure(std::string_view doing) const {
  return from_sqlite(sqlite3_extended_errcode(db_),
                     name_ + ": " + std::string(doing) + ": " + sqlite3_errmsg(db_));
}

Status Db::exec(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return failure(std::string_view(sql).substr(0, 40));
}

Result<std::int64_t> Db::number(const char* sql) {
  Query query(*this, sql);
  if (query.next()) return query.integer(0);
  if (!query.status().ok()) return fail(query.status());
  return fail(Code::kInternal, name_ + ": no row for " + sql);
}

bool Db::in_transaction() const {
  return sqlite3_get_autocommit(db_) == 0;
}

int Db::changes() const {
  return sqlite3_changes(db_);
}

sqlite3_stmt* Db::borrow(const char* sql) {
  if (auto found = statements_.find(sql); found != statements_.end()) {
    sqlite3_stmt* statement = found->second;
    statements_.erase(found);
    return statement;
  }
  sqlite3_stmt* statement = nullptr;
  // A failure shows when the statement runs: next() on none reports what the connection says.
  sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  return statement;
}

void Db::give_back(const char* sql, sqlite3_stmt* statement) {
  if (statement == nullptr) return;
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (!statements_.emplace(sql, statement).second) sqlite3_finalize(statement);
}

// ---- Query

bool Query::next() {
  if (!status_.ok()) return false;
  if (statement_ == nullptr) {
    status_ = db_.failure("prepare");
    return false;
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) status_ = db_.failure(std::string_view(sql_).substr(0, 40));
  return false;
}

std::string Query::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
}

std::int64_t Query::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void Query::bind_one(std::string_view value) {
  if (statement_ == nullptr) return;
  // A view without data is an empty text, not NULL.
  const char* data = value.data() == nullptr ? "" : value.data();
  sqlite3_bind_text64(statement_, ++bound_, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void Query::bind_one(std::int64_t value) {
  if (statement_ != nullptr) sqlite3_bind_int64(statement_, ++bound_, value);
}

void Query::bind_one(std::nullptr_t) {
  if (statement_ != nullptr) sqlite3_bind_null(statement_, ++bound_);
}

// ---- GroupCommit

Status commit_or_stop(Db& db, const std::function<void(const std::string&)>& fatal) {
  Status status = db.exec("COMMIT");
  if (status.ok()) return status;
  if (is_failed_sync(db.handle())) {
    // What the disk holds is unknown now, and a second sync may report success for pages that are gone.
    fatal("a sync of the platform store failed: " + status.message());
    HF_CHECK(!"fatal() returned");
  }
  if (db.in_transaction()) (void)db.exec("ROLLBACK");
  return status;
}

Status GroupCommit::run(const Work& work) {
  Waiter self;
  self.work = &work;
  std::unique_lock lock(mutex_);
  waiting_.push_back(&self);
  changed_.wait(lock, [&] { return self.done || !leading_; });
  if (self.done) return self.status;

  leading_ = true;
  while (!self.done) {
    std::vector<Waiter*> batch;
    while (!waiting_.empty() && batch.size() < kMaxBatch) {
      batch.push_back(waiting_.front());
      waiting_.pop_front();
    }
    lock.unlock();
    commit(batch);
    lock.lock();
    for (Waiter* waiter : batch) waiter->done = true;
    changed_.notify_all();
  }
  leading_ = false;
  changed_.notify_all();
  return self.status;
}

void GroupCommit::commit(std::vector<Waiter*>& batch) {
  Status status = db_.exec("BEGIN IMMEDIATE");
  for (Waiter* waiter : batch) {
    if (!status.ok()) break;
    status = db_.exec("SAVEPOINT piece");
    if (!status.ok()) break;
    waiter->status = (*waiter->work)(db_);
    // Some failures (a full disk) undo the whole transaction: then nobody has anything.
    if (!db_.in_transaction()) {
      status = waiter->status.ok() ? Status(Code::kInternal, "the transaction ended early") : waiter->status;
      break;
    }
    if (!waiter->status.ok()) status = db_.exec("ROLLBACK TO piece");
    if (status.ok()) status = db_.exec("RELEASE piece");
  }
  if (status.ok()) {
    status = commit_or_stop(db_, fatal_);
  } else if (db_.in_transaction()) {
    (void)db_.exec("ROLLBACK");
  }
  if (status.ok()) return;
  for (Waiter* waiter : batch) {
    if (waiter->status.ok()) waiter->status = status;
  }
}

// ---- Readers

Result<Readers::Lease> Readers::take() {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [this] { return !idle_.empty() || open_ < kMaxReaders; });
  if (!idle_.empty()) {
    std::unique_ptr<Db> db = std::move(idle_.back());
    idle_.pop_back();
    return Lease(*this, std::move(db));
  }
  ++open_;
  lock.unlock();
  Result<std::unique_ptr<Db>> db = Db::open_reader(path_, vfs_);
  if (!db) {
    lock.lock();
    --open_;
    freed_.notify_one();
    return fail(db.error());
  }
  return Lease(*this, std::move(*db));
}

void Readers::give_back(std::unique_ptr<Db> db) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(db));
  freed_.notify_one();
}

}  // namespace holdfast::platform
