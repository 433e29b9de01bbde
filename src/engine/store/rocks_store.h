#pragma once

// RocksStore: KvStore on RocksDB, one write-ahead log synced once per commit.
//
// Owner: app opens it, the engine uses it. Thread-safe. Values of 32 KiB and more stand in files of their own
// (RocksDB's blob files), which compactions leave alone until most of one is garbage.
// RocksDB's background threads (flush, compaction) never call into us.
//
// Errors of open(), each message says what to do:
//   kFailedPrecondition  the directory is locked by another process, or written by a newer RocksDB
//   kPermissionDenied    not readable, not writable, read-only file system
//   kResourceExhausted   disk full
//   kDataLoss            corruption: file and offset; nothing was changed or skipped
//   kInvalidArgument     the path is not a directory
// Damage in a table is the loss of the rows beside it: get() and scan() say DATA_LOSS. Should a compaction
// meet it, the store goes on without compactions, slower and larger, instead of refusing every commit.
// commit() fails with kResourceExhausted (disk full) or kDataLoss (everything else, a failed fsync above
// all): either way the caller stops the process, as KvStore demands; every later commit fails the same way.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "store/kv_store.h"

namespace rocksdb {
class FileSystem;
}

namespace holdfast::store {

struct RocksOptions {
  std::string dir{};  // created when it does not exist; its parent must exist
  // File system under RocksDB; none: the machine's own. Tests put fault layers here.
  std::shared_ptr<rocksdb::FileSystem> file_system{};
  // Hears once of damage that was found where nobody reads (see below). Any thread. Empty: nobody does.
  std::function<void(const std::string&)> complain{};
  // Memory: at most three write buffers and the cache are held; an idle store holds about one buffer's first
  // block.
  std::uint64_t write_buffer_bytes = 8 << 20;
  std::uint64_t block_cache_bytes = 16 << 20;
};

class RocksStore final : public KvStore {
 public:
  static Result<std::unique_ptr<RocksStore>> open(const RocksOptions& options);
  ~RocksStore() override;
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;

  // What is committed as a store of its own in `dir`, which is not there yet and on the same disk: its files
  // are links to ours, which never change. Commits wait for some milliseconds, less after a settle(), which
  // moves what is in the log to tables. Beside everything else, one at a time; a failure harms nothing here.
  Status settle();
  Status checkpoint(const std::string& dir);

  Status commit(const WriteBatch& batch) override;
  // A full write buffer waits for its table, or many tables to be merged.
  bool is_behind() const override;
  Result<std::optional<std::string>> get(std::string_view key) const override;
  Status scan(std::string_view begin, std::string_view end, const Visitor& visit) const override;
  Status scan_reverse(std::string_view begin, std::string_view end, const Visitor& visit) const override;
  // Rewrites the tables, a shard at a time, when at least one in ten of their entries is the mark of a
  // deletion.
  Reclaimed reclaim(const std::function<bool()>& stop) override;

 private:
  struct Impl;
  explicit RocksStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::store
