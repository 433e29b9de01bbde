#include "tool/sql_connections.h"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::agent {

namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<FileState> FileState::of(const std::filesystem::path& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return FileState{.device = found.st_dev,
                   .inode = found.st_ino,
                   .size = found.st_size,
                   .written_ns = nanoseconds(found.st_mtim),
                   .changed_ns = nanoseconds(found.st_ctim)};
}

SqlConnections::SqlConnections(const Clock& clock, MemoryBudget& memory, Executor& janitor)
    : clock_(clock), memory_(memory), most_bytes_(memory.limit() / kKeptShare) {
  janitor.post([this] { tidy(); });
}

SqlConnections::~SqlConnections() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return tidied_; });
}

// Closes what nobody used for long. It sleeps through calls that come one after the other: to be woken by
// each would cost them more than it does.
void SqlConnections::tidy() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::list<Kept> over;
    drop_old(over);
    if (!over.empty()) {
      lock.unlock();
      over.clear();
      lock.lock();
    } else if (!kept_.empty()) {
      changed_.wait_for(lock, std::max<MonotonicTime::duration>(kept_.front().until - clock_.monotonic(),
                                                                std::chrono::milliseconds(1)));
    } else if (std::exchange(used_, false)) {
      changed_.wait_for(lock, kKeptConnection);
    } else {
      asleep_ = true;
      changed_.wait(lock);
      asleep_ = false;
    }
  }
  tidied_ = true;
  changed_.notify_all();
}

void SqlConnections::drop_old(std::list<Kept>& over) {
  const MonotonicTime now = clock_.monotonic();
  while (!kept_.empty() && kept_.front().until <= now) {
    bytes_ -= kept_.front().connection->held.bytes();
    over.splice(over.end(), kept_, kept_.begin());
  }
}

std::unique_ptr<SqlConnection> SqlConnections::take(const std::filesystem::path& path) {
  const auto now = FileState::of(path);
  std::list<Kept> over;
  std::lock_guard lock(mutex_);
  drop_old(over);
  // The one that was used last: its file's pages are likelier to be in memory.
  for (auto it = kept_.end(); it != kept_.begin();) {
    --it;
    if (it->connection->path != path) continue;
    bytes_ -= it->connection->held.bytes();
    if (now && it->connection->file == now) {
      std::unique_ptr<SqlConnection> out = std::move(it->connection);
      kept_.erase(it);
      return out;
    }
    const auto stale = it++;
    over.splice(over.end(), kept_, stale);
  }
  return nullptr;
}

void SqlConnections::keep(std::unique_ptr<SqlConnection> connection, std::size_t bytes) {
  if (!connection->file || bytes > most_bytes_) return;
  connection->held = HeldMemory(memory_);
  if (!connection->held.resize(bytes).ok()) return;
  std::list<Kept> over;
  {
    std::lock_guard lock(mutex_);
    while (!kept_.empty() && (kept_.size() >= kMaxKeptConnections || bytes_ + bytes > most_bytes_)) {
      bytes_ -= kept_.front().connection->held.bytes();
      over.splice(over.end(), kept_, kept_.begin());
    }
    bytes_ += bytes;
    kept_.push_back({.connection = std::move(connection), .until = clock_.monotonic() + kKeptConnection});
    used_ = true;
    if (asleep_) changed_.notify_one();
  }
}

}  // namespace holdfast::agent
