#pragma once

// PostgresReaders: a few connections for reading, opened when first needed and again when they were lost.
// Thread-safe. Private to this room.

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "holdfast/status.h"
#include "platform_postgres/session.h"

namespace holdfast::platform {

class PostgresReaders {
 public:
  static constexpr std::size_t kMaxReaders = 4;

  explicit PostgresReaders(SessionOptions options) : options_(std::move(options)) {}

  // What `work(Connection&) -> Result<T>` says, on another connection when its own was lost, until the
  // patience is over.
  template <typename T, typename Work>
  Result<T> run(Work work) {
    Patience patience(*options_.clock, options_.patience);
    while (true) {
      Result<std::unique_ptr<Connection>> connection = take();
      Result<T> out = connection ? work(**connection) : Result<T>(fail(connection.error()));
      const bool lost = connection ? (*connection)->lost() : out.error().code() == Code::kUnavailable;
      give_back(connection && !lost ? std::move(*connection) : nullptr);
      if (!lost || !patience.pause()) return out;
    }
  }

 private:
  // Waits while all are busy. Whatever it gives, give_back() comes after.
  Result<std::unique_ptr<Connection>> take();
  void give_back(std::unique_ptr<Connection> connection);

  const SessionOptions options_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
  std::size_t lent_ = 0;                           // guarded by mutex_
};

}  // namespace holdfast::platform
