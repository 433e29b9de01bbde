#include "platform_sqlite/readers.h"

#include "platform_sqlite/schema.h"

namespace holdfast::platform {

Result<Readers::Lease> Readers::take() {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [this] { return !idle_.empty() || open_ < kMaxReaders; });
  if (!idle_.empty()) {
    std::unique_ptr<sqlite::Database> db = std::move(idle_.back());
    idle_.pop_back();
    return Lease(*this, std::move(db));
  }
  ++open_;
  lock.unlock();
  auto db = std::make_unique<sqlite::Database>();
  Status status = open_file(*db, path_, {.vfs = vfs_, .pragmas = kPragmas});
  if (status.ok()) status = db->execute("PRAGMA query_only=ON");
  if (!status.ok()) {
    lock.lock();
    --open_;
    freed_.notify_one();
    return fail(std::move(status));
  }
  return Lease(*this, std::move(db));
}

void Readers::give_back(std::unique_ptr<sqlite::Database> db) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(db));
  freed_.notify_one();
}

}  // namespace holdfast::platform
