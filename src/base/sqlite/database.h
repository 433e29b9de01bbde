#pragma once

// Database: one connection to an SQLite file. With Statement (sqlite/statement.h) the only code that speaks
// SQLite's C interface.
//
// The owner keeps it in place and outlives its statements. Not thread-safe: one user at a time. Nothing
// throws; a Status says which file, doing what, why and what helps, and carries a StorageFault where the file
// is to blame. A statement that was stopped is CANCELLED.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "holdfast/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::sqlite {

// The text of a statement that is there as long as the program, so that its address names it in the cache.
class Literal {
 public:
  consteval Literal(const char* text)
      : text_(text) {}  // NOLINT(google-explicit-constructor): a literal is one
  const char* text() const { return text_; }

 private:
  const char* text_;
};

enum class Access : std::uint8_t {
  kReadOnly,
  kReadWrite,
  kCreate,  // and the file is made when absent
};

struct Options {
  Access access = Access::kCreate;
  std::string vfs{};                             // name of a registered VFS; empty: the machine's own
  std::chrono::milliseconds busy_timeout{2000};  // how long a lock of another connection is waited for
  const char* pragmas = "";                      // run first
};

class Database {
 public:
  Database() = default;
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Once. Without pragmas it changes nothing in a file that exists: it may be somebody else's.
  Status open(const std::filesystem::path& path, const Options& options = {});

  // Statements without parameters, separated by semicolons; rows are dropped.
  Status execute(const char* sql);
  // One statement without parameters, prepared once and kept: what is said with every transaction.
  Status run(Literal sql);
  // The first column of the first row, which a sound file has.
  Result<std::int64_t> number(Literal sql);

  // The first bytes of a text or blob, at most `most`, and how many there are in all: what lies behind them
  // is not read. INTERNAL when there is no such row.
  struct Beginning {
    std::string bytes;
    std::size_t of = 0;
  };
  Result<Beginning> beginning(Literal table, Literal column, std::int64_t row, std::size_t most) const;

  bool in_transaction() const;
  int changes() const;        // of the last statement
  int total_changes() const;  // of all
  bool read_only() const;     // the file, whatever was asked for

  // `stop` is asked every kOpsBetweenLooks steps of SQLite's machine; true ends the running statement.
  void stop_when(std::function<bool()> stop);
  static constexpr int kOpsBetweenLooks = 20'000;
  // Refuses, from now on or no more, what would end our transaction, reach another file or bring code into
  // this process: for statements that somebody else wrote.
  void confine(bool on);
  // From now on no text, blob or row takes more bytes, a sort's rest goes to disk, the page cache stays
  // small, and expressions and rows have bounds: for such statements, too. HeapLimit bounds what they hold
  // together.
  void bound_values(int bytes);
  // Gives back the pages that it has read, which come from the file again.
  void release_memory();

  // Writes what this connection sees, in a transaction the moment of its first read, into a new file at
  // `path`, page by page. Whoever wants it durable syncs it. `give_up` is asked between pieces: CANCELLED.
  Status copy_to(const std::filesystem::path& path, const std::function<bool()>& give_up);

  // From now on statements have row_checksum(table, column, ...): 64 bits of SHA-256 over the values and
  // their types. Stored: what it gives for given values never changes.
  Status define_row_checksum();

  // ---- of the last failure

  // As a Status, met while `doing` something.
  Status failure(std::string_view doing) const;
  // What SQLite itself said, for whoever puts it in other words.
  std::string message() const;
  // The next attempt may fare better: locked, out of memory, input and output.
  bool may_pass() const;
  // What the disk holds is unknown now, and a second sync may report success for pages that are gone.
  bool sync_failed() const;

 private:
  friend class Statement;
  struct Cached {
    sqlite3_stmt* statement = nullptr;
    bool lent = false;
  };
  // A statement at rest; a fresh one, which nobody keeps, when its only one is in use. Null: failure() has
  // it.
  sqlite3_stmt* borrow(Literal sql, bool& cached);
  void give_back(Literal sql);

  sqlite3* db_ = nullptr;
  std::string name_;
  std::unordered_map<const char*, Cached> statements_;
  std::function<bool()> stop_;
};

// Runs `work() -> Status` with the write lock held from its beginning; nothing of it stays when it fails.
template <typename Work>
Status in_transaction(Database& db, Work work) {
  if (Status status = db.run("BEGIN IMMEDIATE"); !status.ok()) return status;
  Status status = work();
  if (status.ok()) status = db.run("COMMIT");
  if (!status.ok() && db.in_transaction()) (void)db.execute("ROLLBACK");
  return status;
}

// Whether the file is whole: its pages, and that each index has its table's rows and no others. Reads all of
// it; a server may use it meanwhile. DATA_LOSS says what is wrong first.
Status check_whole(const std::filesystem::path& path);

// From now on the pages that rows leave can be given back to the disk (PRAGMA incremental_vacuum). A file
// that was made without is rewritten once, as a whole; while the disk has no room for that it stays as it is.
Status make_shrinkable(Database& db);

// Removes a closed database with what SQLite keeps beside it.
void remove_database(const std::filesystem::path& path, const std::string& vfs);

}  // namespace holdfast::sqlite
