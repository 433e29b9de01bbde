#pragma once

// A thin, exception-free layer over SQLite: connections, statements, typed failures, group commit. Private to
// this module.

#include <concepts>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "holdfast/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::platform {

// One connection. Not thread-safe: one user at a time.
class Db {
 public:
  // Opens, and makes when absent. Changes nothing in a file that exists: it may not be ours.
  static Result<std::unique_ptr<Db>> open(const std::filesystem::path& path, const std::string& vfs);
  // For a file that was prepared.
  static Result<std::unique_ptr<Db>> open_reader(const std::filesystem::path& path, const std::string& vfs);
  // A database that nobody else can open until this one is closed. Not WAL: nothing is ever written.
  static Result<std::unique_ptr<Db>> open_lock(const std::filesystem::path& path, const std::string& vfs);
  ~Db();
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;

  // Write-ahead log, synced in full at each commit.
  Status use_wal();
  Status exec(const char* sql);
  // The first column of the first row as a number.
  Result<std::int64_t> number(const char* sql);
  // The failure that the connection reports now, as `doing` something.
  Status failure(std::string_view doing) const;
  bool in_transaction() const;
  int changes() const;
  sqlite3* handle() const { return db_; }

 private:
  friend class Query;
  Db() = default;
  static Result<std::unique_ptr<Db>> connect(const std::filesystem::path& path, const std::string& vfs);
  sqlite3_stmt* borrow(const char* sql);
  void give_back(const char* sql, sqlite3_stmt* statement);

  sqlite3* db_ = nullptr;
  std::string name_;
  // Statements at rest, by the address of their text: every statement here is a literal.
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

// One execution of a statement. `sql` must be a string literal.
class Query {
 public:
  Query(Db& db, const char* sql) : db_(db), sql_(sql), statement_(db.borrow(sql)) {}
  ~Query() { db_.give_back(sql_, statement_); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  template <typename... Values>
  Query& bind(const Values&... values) {
    (bind_one(values), ...);
    return *this;
  }

  // True while there is a row. Afterwards status() tells the end from a failure.
  bool next();
  // For a statement without rows.
  Status run() {
    while (next()) {
    }
    return status_;
  }
  const Status& status() const { return status_; }

  std::string text(int column) const;
  std::int64_t integer(int column) const;
  bool is_null(int column) const;

 private:
  void bind_one(std::string_view value);
  void bind_one(std::int64_t value);
  void bind_one(std::nullptr_t);
  template <typename T>
  void bind_one(const std::optional<T>& value) {
    if (value) {
      bind_one(*value);
    } else {
      bind_one(nullptr);
    }
  }
  template <std::integral T>
  void bind_one(T value) {
    bind_one(static_cast<std::int64_t>(value));
  }
  void bind_one(const std::string& value) { bind_one(std::string_view(value)); }
  void bind_one(const char* value) { bind_one(std::string_view(value)); }

  Db& db_;
  const char* sql_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
  Status status_;
};

// Runs pieces of work in transactions that concurrent callers share: while one batch is syncing, the next
// gathers. The thread that finds no leader leads; there is no thread of its own. Each piece is atomic by
// itself: a failing one is undone and leaves its neighbours alone.
class GroupCommit {
 public:
  using Work = std::function<Status(Db&)>;
  using Fatal = std::function<void(const std::string&)>;
  static constexpr std::size_t kMaxBatch = 256;

  GroupCommit(Db& db, Fatal fatal) : db_(db), fatal_(std::move(fatal)) {}

  // Returns when `work` is durable, or has failed and changed nothing.
  Status run(const Work& work);

 private:
  struct Waiter {
    const Work* work = nullptr;
    Status status;
    bool done = false;
  };
  void commit(std::vector<Waiter*>& batch);

  Db& db_;
  Fatal fatal_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiter*> waiting_;  // guarded by mutex_
  bool leading_ = false;         // guarded by mutex_
};

// A few connections for reading, opened when first needed.
class Readers {
 public:
  static constexpr std::size_t kMaxReaders = 4;

  Readers(std::filesystem::path path, std::string vfs) : path_(std::move(path)), vfs_(std::move(vfs)) {}

  class Lease {
   public:
    Lease(Readers& readers, std::unique_ptr<Db> db) : readers_(&readers), db_(std::move(db)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (db_) readers_->give_back(std::move(db_));
    }
    Db& operator*() const { return *db_; }

   private:
    Readers* readers_;
    std::unique_ptr<Db> db_;
  };

  // Waits while all are busy.
  Result<Lease> take();

 private:
  void give_back(std::unique_ptr<Db> db);

  std::filesystem::path path_;
  std::string vfs_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Db>> idle_;  // guarded by mutex_
  std::size_t open_ = 0;                   // guarded by mutex_
};

// A status with StoreFault::kNewer.
Status newer_version(const std::string& message);

// Commits on this connection; a failed sync goes to `fatal` and does not come back.
Status commit_or_stop(Db& db, const std::function<void(const std::string&)>& fatal);

}  // namespace holdfast::platform
