#pragma once

// Readers: a few connections for reading, opened when first needed. Thread-safe. Private to this room.

#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/status.h"
#include "sqlite/database.h"

namespace holdfast::platform {

class Readers {
 public:
  static constexpr std::size_t kMaxReaders = 4;

  Readers(std::filesystem::path path, std::string vfs) : path_(std::move(path)), vfs_(std::move(vfs)) {}

  class Lease {
   public:
    Lease(Readers& readers, std::unique_ptr<sqlite::Database> db) : readers_(&readers), db_(std::move(db)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (db_) readers_->give_back(std::move(db_));
    }
    sqlite::Database& operator*() const { return *db_; }

   private:
    Readers* readers_;
    std::unique_ptr<sqlite::Database> db_;
  };

  // Waits while all are busy.
  Result<Lease> take();

 private:
  void give_back(std::unique_ptr<sqlite::Database> db);

  std::filesystem::path path_;
  std::string vfs_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<sqlite::Database>> idle_;  // guarded by mutex_
  std::size_t open_ = 0;                                 // guarded by mutex_
};

}  // namespace holdfast::platform
