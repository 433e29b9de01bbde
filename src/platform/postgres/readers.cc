#include "platform_postgres/readers.h"

namespace holdfast::platform {

Result<std::unique_ptr<Connection>> PostgresReaders::take() {
  {
    std::unique_lock lock(mutex_);
    const bool free = freed_.wait_for(lock, options_.patience, [this] { return lent_ < kMaxReaders; });
    ++lent_;
    if (!free) return fail(Code::kUnavailable, "the platform store is too slow: all connections are busy");
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return Connection::open(options_.address, options_.limits, *options_.clock);
}

void PostgresReaders::give_back(std::unique_ptr<Connection> connection) {
  std::lock_guard lock(mutex_);
  --lent_;
  if (connection) idle_.push_back(std::move(connection));
  freed_.notify_one();
}

}  // namespace holdfast::platform
