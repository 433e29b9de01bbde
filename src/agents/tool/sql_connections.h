#pragma once

// SqlConnections: connections to SQLite files that reading calls of SQL tools have done with, for the next
// call of the same file: opening one and reading its schema costs more than most statements. One that writes
// is not kept: SQLite remembers what it changed (changes(), last_insert_rowid()), and its sync costs more.
//
// What is kept is bounded in number, time and bytes, which the budget of the calls counts. It serves the file
// that it was opened on: one that was written, replaced or removed since is opened anew. It carries nothing
// from one call to the next; whoever keeps one has made sure of that.
//
// Thread-safe; outlives the calls. A connection is one call's until it is kept again, on any thread.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "base/memory_budget.h"
#include "holdfast/seams.h"
#include "sqlite/database.h"

namespace holdfast::agent {

inline constexpr std::size_t kMaxKeptConnections = 8;
// Short: while one is open, its file cannot leave WAL mode, and the disk keeps one that was removed.
inline constexpr std::chrono::seconds kKeptConnection{5};
// Of the budget, for all that are kept.
inline constexpr std::size_t kKeptShare = 16;

// Which file stood at a path, and in which state.
struct FileState {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t written_ns = 0;
  std::int64_t changed_ns = 0;

  // None: there is no file.
  static std::optional<FileState> of(const std::filesystem::path& path);
  bool operator==(const FileState&) const = default;
};

struct SqlConnection {
  std::filesystem::path path;
  std::optional<FileState> file;  // from before it was opened
  HeldMemory held;                // what SQLite holds for it between calls
  sqlite::Database db;
};

class SqlConnections {
 public:
  SqlConnections(const Clock& clock, MemoryBudget& memory, Executor& janitor);
  // Closes what is kept, and waits for the janitor.
  ~SqlConnections();
  SqlConnections(const SqlConnections&) = delete;
  SqlConnections& operator=(const SqlConnections&) = delete;

  // Null: none is kept of this file as it is now.
  std::unique_ptr<SqlConnection> take(const std::filesystem::path& path);
  // At rest, reading, and holding so many bytes of memory.
  void keep(std::unique_ptr<SqlConnection> connection, std::size_t bytes);

 private:
  struct Kept {
    std::unique_ptr<SqlConnection> connection;
    MonotonicTime until;
  };

  void tidy();
  // Into `over`, which is closed without the lock.
  void drop_old(std::list<Kept>& over);

  const Clock& clock_;
  MemoryBudget& memory_;
  const std::size_t most_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Kept> kept_;  // the oldest first
  std::size_t bytes_ = 0;
  bool used_ = false;    // since the janitor looked
  bool asleep_ = false;  // the janitor, until it is woken
  bool stopping_ = false;
  bool tidied_ = false;
};

}  // namespace holdfast::agent
