#pragma once

// SpillLimit: how many bytes of temporary files SQLite may write for what this thread does while the object
// lives: sorts and tables that do not fit into memory. Without it a careless statement fills the disk that
// everybody's data is on. Beyond it the statement ends, "disk is full"; reached() says that it was this, and
// crowded() that all such users together hold what they may.
//
// On the stack of whoever opens a database with the VFS spill_vfs(), uses it and closes it, all on one
// thread; not nested. Files of the database itself are not counted.

#include <cstdint>
#include <string>

namespace holdfast::sqlite {

// The name of the machine's own VFS with temporary files counted, for Options::vfs.
const std::string& spill_vfs();

class SpillLimit {
 public:
  SpillLimit(std::int64_t limit_bytes, std::int64_t limit_of_all);
  ~SpillLimit();
  SpillLimit(const SpillLimit&) = delete;
  SpillLimit& operator=(const SpillLimit&) = delete;

  bool reached() const { return reached_; }
  bool crowded() const { return crowded_; }
  // Files that are open, each of which needs this object: a connection that has one must not outlive it.
  int open_files() const { return open_files_; }

  // For the VFS. False: no.
  bool take(std::int64_t bytes);
  void give_back(std::int64_t bytes);
  void opened() { ++open_files_; }
  void closed() { --open_files_; }
  // Of this thread; null: none.
  static SpillLimit* current();

 private:
  const std::int64_t limit_;
  const std::int64_t limit_of_all_;
  std::int64_t used_ = 0;
  int open_files_ = 0;
  bool reached_ = false;
  bool crowded_ = false;
};

}  // namespace holdfast::sqlite
