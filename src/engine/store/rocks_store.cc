#include "store/rocks_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <limits>
#include <mutex>

#include "store/keys.h"
#include "store/wal_check.h"

namespace holdfast::store {
namespace {

// Below this much free space a start is refused: a store that cannot write a log cannot accept anything.
constexpr std::uint64_t kMinFreeBytes = 16 << 20;
// A log larger than this is not ours (a write buffer holds far less) and is left to RocksDB to judge.
constexpr std::uint64_t kMaxCheckedLogBytes = 512 << 20;
// A second line for a terminal is enough; more belongs into a log.
constexpr std::size_t kMaxWarnings = 4;

// Entries of a table among which half are deletions.
constexpr std::size_t kDeletionWindow = 16 << 10;

// Values from here on stand in files of their own: a compaction moves their keys and leaves them alone.
constexpr std::uint64_t kBlobBytes = 32 << 10;
// Tables of the newest writes, of which so many are merged at once.
constexpr std::uint64_t kManyNewTables = 8;

// RocksDB's own log: it would grow a LOG file per start. Only the last warnings are kept, for error messages.
class WarningLogger final : public rocksdb::Logger {
 public:
  WarningLogger() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list args) override {
    char line[512];
    std::vsnprintf(line, sizeof line, format, args);
    const std::lock_guard lock(mutex_);
    warnings_.emplace_back(line);
    if (warnings_.size() > kMaxWarnings) warnings_.pop_front();
  }

 private:
  std::mutex mutex_;
  std::deque<std::string> warnings_;
};

// A compaction that meets damage would stop all writes, and with them every run. The rows in question are
// lost either way; the others are not.
class DamagedTables final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override {
    if (reason != rocksdb::BackgroundErrorReason::kCompaction || !error->IsCorruption()) return;
    {
      const std::lock_guard lock(mutex_);
      what_ = error->ToString();
    }
    *error = rocksdb::Status::OK();
    found_ = true;
  }
  bool found() const { return found_; }
  std::string what() const {
    const std::lock_guard lock(mutex_);
    return what_;
  }

 private:
  std::atomic<bool> found_ = false;
  mutable std::mutex mutex_;
  std::string what_;  // guarded by mutex_
};

std::string parent_of(const std::string& dir) {
  const std::size_t slash = dir.find_last_not_of('/');
  const std::size_t cut = dir.rfind('/', slash == std::string::npos ? 0 : slash);
  if (cut == std::string::npos) return ".";
  return cut == 0 ? "/" : dir.substr(0, cut);
}

Status from_errno(const std::string& dir, std::string_view what, int error) {
  switch (error) {
    case EROFS:
      return {Code::kPermissionDenied,
              fmt::format(
                  "data directory {}: the file system is read-only; use a directory on a writable one", dir)};
    case EACCES:
    case EPERM:
      return {Code::kPermissionDenied,
              fmt::format(
                  "data directory {}: no permission to {}; give this user read and write access, or choose "
                  "another directory",
                  dir, what)};
    case ENOSPC:
    case EDQUOT:
      return {Code::kResourceExhausted,
              fmt::format("data directory {}: the disk is full; free some space and start again", dir)};
    case ENOTDIR:
    case EEXIST:
      return {Code::kInvalidArgument, fmt::format("data directory {}: it is not a directory", dir)};
    case ENOENT:
      return {Code::kInvalidArgument,
              fmt::format("data directory {}: its parent directory does not exist; create it first", dir)};
    default:
      return {Code::kInternal,
              fmt::format("data directory {}: cannot {}: {}", dir, what, std::strerror(error))};
  }
}

// A new directory's name is durable only when its parent was synced.
Status create_dir(const std::string& dir) {
  if (::mkdir(dir.c_str(), 0700) == 0) {
    const int fd = ::open(parent_of(dir).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return from_errno(dir, "open its parent directory", errno);
    const int failed = ::fsync(fd);
    const int error = errno;
    ::close(fd);
    if (failed != 0) return from_errno(dir, "sync its parent directory", error);
  } else if (errno != EEXIST) {
    return from_errno(dir, "create it", errno);
  }
  struct stat info{};
  if (::stat(dir.c_str(), &info) != 0) return from_errno(dir, "read it", errno);
  if (!S_ISDIR(info.st_mode)) return from_errno(dir, "read it", ENOTDIR);
  if (::access(dir.c_str(), R_OK | W_OK | X_OK) != 0) return from_errno(dir, "read and write it", errno);
  return {};
}

// Process that holds the lock file, 0 when it cannot be told.
pid_t lock_holder(const std::string& dir) {
  const int fd = ::open((dir + "/LOCK").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return 0;
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool known = ::fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  // Closing drops this process's own locks on the file: never called by a process that holds it
  // (open_status).
  ::close(fd);
  return known ? lock.l_pid : 0;
}

std::string describe(const rocksdb::Status& status) {
  return status.ToString();
}

bool is_log_file(std::string_view name) {
  return name.ends_with(".log") || name.starts_with("MANIFEST-");
}

// Visits every log-format file of the directory with its contents.
void for_each_log(rocksdb::FileSystem& fs, const std::string& dir,
                  const std::function<void(const std::string& path, std::string_view bytes)>& visit) {
  std::vector<std::string> names;
  if (!fs.GetChildren(dir, rocksdb::IOOptions(), &names, nullptr).ok()) return;
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (!is_log_file(name)) continue;
    const std::string path = dir + "/" + name;
    std::uint64_t size = 0;
    if (!fs.GetFileSize(path, rocksdb::IOOptions(), &size, nullptr).ok() || size == 0) continue;
    if (size > kMaxCheckedLogBytes) continue;
    std::unique_ptr<rocksdb::FSSequentialFile> file;
    if (!fs.NewSequentialFile(path, rocksdb::FileOptions(), &file, nullptr).ok()) continue;
    std::string bytes(size, '\0');
    rocksdb::Slice got;
    if (!file->Read(size, rocksdb::IOOptions(), &got, bytes.data(), nullptr).ok()) continue;
    visit(path, std::string_view(got.data(), got.size()));
  }
}

Status damaged(const std::string& path, std::uint64_t offset) {
  return {Code::kDataLoss,
          fmt::format(
              "{} is damaged at offset {}: records behind it would be lost. Nothing was changed. Restore the "
              "data directory from a backup, or move it away to start empty",
              path, offset)};
}

Status check_logs(rocksdb::FileSystem& fs, const std::string& dir) {
  Status result;
  for_each_log(fs, dir, [&](const std::string& path, std::string_view bytes) {
    if (!result.ok()) return;
    if (const auto offset = find_log_damage(bytes)) result = damaged(path, *offset);
  });
  return result;
}

Status corruption_status(rocksdb::FileSystem& fs, const std::string& dir, const rocksdb::Status& status) {
  Status result;
  for_each_log(fs, dir, [&](const std::string& path, std::string_view bytes) {
    if (!result.ok()) return;
    if (const auto offset = find_bad_log_record(bytes)) result = damaged(path, *offset);
  });
  if (!result.ok()) return result;
  return {Code::kDataLoss,
          fmt::format("data directory {} is damaged: {}. Nothing was changed. Restore it from a backup, "
                      "or move it away to start empty",
                      dir, describe(status))};
}

Status open_status(rocksdb::FileSystem& fs, const std::string& dir, const rocksdb::Status& status) {
  const std::string text = describe(status);
  if (status.IsCorruption()) return corruption_status(fs, dir, status);
  if (status.IsNoSpace()) return from_errno(dir, "write", ENOSPC);
  if (status.IsIOError() && text.find("lock") != std::string::npos &&
      text.find("LOCK") != std::string::npos) {
    // RocksDB says "lock hold by current process" for our own; asking the kernel then would release that
    // lock.
    const bool here = text.find("current process") != std::string::npos;
    const pid_t holder = here ? ::getpid() : lock_holder(dir);
    return {
        Code::kFailedPrecondition,
        fmt::format(
            "data directory {} is in use by another server{}; stop that one first, or give this one its own "
            "--data directory",
            dir, holder > 0 ? fmt::format(" (process {})", holder) : std::string())};
  }
  if (status.IsIOError() && text.find("Read-only file system") != std::string::npos)
    return from_errno(dir, "write", EROFS);
  if (status.IsIOError() && text.find("Permission denied") != std::string::npos)
    return from_errno(dir, "write", EACCES);
  if (status.IsNotSupported() || status.IsInvalidArgument()) {
    return {
        Code::kFailedPrecondition,
        fmt::format(
            "data directory {} was written by a version this program cannot read ({}); use that version or "
            "a newer one",
            dir, text)};
  }
  return {Code::kInternal, fmt::format("cannot open data directory {}: {}", dir, text)};
}

rocksdb::Options rocks_options(const RocksOptions& options) {
  rocksdb::Options rocks;
  rocks.create_if_missing = true;
  // A torn tail is a write that was never acknowledged and goes; damage in front of good records refuses the
  // start.
  rocks.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // What a recovery found may have been in the page cache only. Flushing it makes it durable before anyone
  // reads it; otherwise a power loss right after a restart could take back what the restarted server already
  // showed.
  rocks.avoid_flush_during_recovery = false;
  rocks.avoid_flush_during_shutdown = true;  // the log has it
  rocks.paranoid_checks = true;
  rocks.write_buffer_size = options.write_buffer_bytes;
  rocks.max_write_buffer_number = 3;
  rocks.max_total_wal_size = 4 * options.write_buffer_bytes;
  rocks.target_file_size_base = 4 * options.write_buffer_bytes;
  rocks.max_bytes_for_level_base = 16 * options.write_buffer_bytes;
  rocks.max_background_jobs = 2;
  rocks.max_open_files = 256;  // also keeps a start from opening every table
  rocks.compression = rocksdb::kLZ4Compression;
  rocks.enable_blob_files = true;
  rocks.min_blob_size = kBlobBytes;
  rocks.blob_compression_type = rocksdb::kLZ4Compression;
  rocks.enable_blob_garbage_collection = true;
  rocks.bytes_per_sync =
      1 << 20;  // tables reach the disk evenly; a commit's sync does not queue behind 30 MB
  // A table in which deletions stand close together is rewritten soon: what comes and goes (the feed, the
  // wake index) would otherwise be walked over mark by mark.
  rocks.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(kDeletionWindow, kDeletionWindow / 2));
  rocks.stats_dump_period_sec = 0;
  rocks.stats_persist_period_sec = 0;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes, 2);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.block_size = 8 << 10;
  rocks.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return rocks;
}

// A deletion is an entry too, until it meets what it deletes in a rewrite of the tables.
bool worth_rewriting(rocksdb::DB& db) {
  std::vector<rocksdb::LiveFileMetaData> files;
  db.GetLiveFilesMetaData(&files);
  std::uint64_t entries = 0;
  std::uint64_t deletions = 0;
  for (const auto& file : files) {
    entries += file.num_entries;
    deletions += file.num_deletions;
  }
  return deletions > 0 && deletions >= entries / 10;
}

}  // namespace

struct RocksStore::Impl {
  void stop_compacting();

  std::string dir;
  std::unique_ptr<rocksdb::Env> env;  // only with a file system of the caller's; outlives db
  std::unique_ptr<rocksdb::DB> db;
  Status failed;  // the first failed commit; guarded by commits
  std::shared_ptr<DamagedTables> damage = std::make_shared<DamagedTables>();
  std::function<void(const std::string&)> complain;
  bool compacting = true;  // guarded by commits
  std::mutex commits;      // held by a commit, and by the moment of a checkpoint
};

RocksStore::RocksStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

RocksStore::~RocksStore() = default;

Result<std::unique_ptr<RocksStore>> RocksStore::open(const RocksOptions& options) {
  if (options.dir.empty()) return fail(Code::kInvalidArgument, "the data directory has no name");
  if (Status status = create_dir(options.dir); !status.ok()) return fail(std::move(status));

  auto impl = std::make_unique<Impl>();
  impl->dir = options.dir;
  impl->complain = options.complain;
  const std::shared_ptr<rocksdb::FileSystem> fs =
      options.file_system ? options.file_system : rocksdb::FileSystem::Default();

  std::uint64_t free_bytes = 0;
  if (fs->GetFreeSpace(options.dir, rocksdb::IOOptions(), &free_bytes, nullptr).ok() &&
      free_bytes < kMinFreeBytes) {
    return fail(
        Code::kResourceExhausted,
        fmt::format(
            "data directory {}: only {} KiB free on its disk, {} MiB are needed to start; free some space",
            options.dir, free_bytes >> 10, kMinFreeBytes >> 20));
  }

  rocksdb::Options rocks = rocks_options(options);
  rocks.info_log = std::make_shared<WarningLogger>();
  rocks.listeners.push_back(impl->damage);
  if (options.file_system) {
    impl->env = rocksdb::NewCompositeEnv(options.file_system);
    rocks.env = impl->env.get();
  }
  // Tables may be rewritten a little later; nobody who waits for a commit should wait for that.
  (void)rocks.env->LowerThreadPoolCPUPriority(rocksdb::Env::Priority::LOW, rocksdb::CpuPriority::kLow);
  // Before RocksDB sees the logs: a recovery would replace them. A running server's logs end in a torn tail
  // at worst.
  if (Status status = check_logs(*fs, options.dir); !status.ok()) return fail(std::move(status));

  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(rocks, options.dir, &db);
  if (!status.ok()) return fail(open_status(*fs, options.dir, status));
  impl->db.reset(db);
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(impl)));
}

// Not in the listener: setting options waits for the writers.
void RocksStore::Impl::stop_compacting() {
  compacting = false;
  // Without it, the same compaction is tried once a second: nothing worse.
  (void)db->SetOptions({{"disable_auto_compactions", "true"}});
  if (complain) {
    complain(
        fmt::format("data directory {} is damaged ({}): its runs are told when they are read, the others go "
                    "on, and nothing is compacted any more. Restore it from a backup",
                    dir, damage->what()));
  }
}

Status RocksStore::commit(const WriteBatch& batch) {
  std::size_t bytes = 16;
  for (const WriteBatch::Change& change : batch.changes()) {
    bytes += change.key.size() + (change.value ? change.value->size() : 0) + 16;
  }
  rocksdb::WriteBatch rocks(bytes);
  for (const WriteBatch::Change& change : batch.changes()) {
    const rocksdb::Status status =
        change.value ? rocks.Put(change.key, *change.value) : rocks.Delete(change.key);
    if (!status.ok()) return {Code::kInternal, "cannot build a write batch: " + describe(status)};
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  const std::lock_guard lock(impl_->commits);
  if (!impl_->failed.ok()) return impl_->failed;
  if (batch.empty()) return {};
  if (impl_->compacting && impl_->damage->found()) impl_->stop_compacting();
  const rocksdb::Status status = impl_->db->Write(options, &rocks);
  if (status.ok()) return {};
  if (status.IsNoSpace()) {
    impl_->failed = {
        Code::kResourceExhausted,
        fmt::format("data directory {}: the disk is full; free some space and start again", impl_->dir)};
  } else {
    impl_->failed = {
        Code::kDataLoss,
        fmt::format("data directory {}: writing failed ({}); what is acknowledged so far is safe, start "
                    "again when the disk is well",
                    impl_->dir, describe(status))};
  }
  return impl_->failed;
}

bool RocksStore::is_behind() const {
  const auto value = [this](const std::string& property) {
    std::uint64_t number = 0;
    return impl_->db->GetIntProperty(property, &number) ? number : 0;
  };
  if (value(rocksdb::DB::Properties::kNumImmutableMemTable) > 0) return true;
  std::string tables;
  return impl_->db->GetProperty(rocksdb::DB::Properties::kNumFilesAtLevelPrefix + "0", &tables) &&
         std::strtoull(tables.c_str(), nullptr, 10) >= kManyNewTables;
}

Status RocksStore::settle() {
  const rocksdb::Status status = impl_->db->Flush(rocksdb::FlushOptions());
  if (status.ok()) return {};
  return {Code::kUnavailable,
          fmt::format("data directory {}: flushing failed: {}", impl_->dir, describe(status))};
}

Status RocksStore::checkpoint(const std::string& dir) {
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(impl_->db.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) {
    const std::lock_guard lock(impl_->commits);
    // Never a flush in here: the log is copied as far as it has got, and after settle() it is short.
    status = checkpoint->CreateCheckpoint(dir, std::numeric_limits<std::uint64_t>::max());
  }
  if (status.ok()) return {};
  if (status.IsNoSpace()) return from_errno(dir, "write", ENOSPC);
  return {Code::kUnavailable, fmt::format("cannot make a checkpoint in {}: {}", dir, describe(status))};
}

Result<std::optional<std::string>> RocksStore::get(std::string_view key) const {
  std::string value;
  const rocksdb::Status status =
      impl_->db->Get(rocksdb::ReadOptions(), rocksdb::Slice(key.data(), key.size()), &value);
  if (status.ok()) return std::optional<std::string>(std::move(value));
  if (status.IsNotFound()) return std::optional<std::string>();
  return fail(Code::kDataLoss,
              fmt::format("data directory {}: reading failed: {}", impl_->dir, describe(status)));
}

namespace {

Status end_of_scan(const std::string& dir, const rocksdb::Iterator& it) {
  if (it.status().ok()) return {};
  return {Code::kDataLoss, fmt::format("data directory {}: reading failed: {}", dir, describe(it.status()))};
}

std::string_view view(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

}  // namespace

Status RocksStore::scan(std::string_view begin, std::string_view end, const Visitor& visit) const {
  rocksdb::ReadOptions options;
  const rocksdb::Slice upper(end.data(), end.size());
  if (!end.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(options));
  for (it->Seek(rocksdb::Slice(begin.data(), begin.size())); it->Valid(); it->Next()) {
    if (!visit(view(it->key()), view(it->value()))) return {};
  }
  return end_of_scan(impl_->dir, *it);
}

RocksStore::Reclaimed RocksStore::reclaim(const std::function<bool()>& stop) {
  rocksdb::DB& db = *impl_->db;
  // What is in memory has deletions, too. A disk that cannot be written is the next commit's to tell.
  if (!db.Flush(rocksdb::FlushOptions()).ok() || !worth_rewriting(db)) return Reclaimed::kNotWorthIt;
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
  options.blob_garbage_collection_age_cutoff = 1.0;
  for (std::uint16_t shard = 0; shard <= keys::kShardCount; ++shard) {
    if (stop()) return Reclaimed::kStopped;
    const std::string begin = keys::table_begin(shard == keys::kShardCount ? keys::kStoreWide : shard, '\0');
    const std::string end = keys::table_begin(shard == keys::kShardCount ? keys::kStoreWide : shard, '\xFF');
    const rocksdb::Slice from(begin);
    const rocksdb::Slice to(end);
    if (!db.CompactRange(options, &from, &to).ok()) return Reclaimed::kNotWorthIt;
  }
  return Reclaimed::kDone;
}

Status RocksStore::scan_reverse(std::string_view begin, std::string_view end, const Visitor& visit) const {
  rocksdb::ReadOptions options;
  const rocksdb::Slice lower(begin.data(), begin.size());
  const rocksdb::Slice upper(end.data(), end.size());
  if (!begin.empty()) options.iterate_lower_bound = &lower;
  if (!end.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(options));
  for (it->SeekToLast(); it->Valid(); it->Prev()) {
    if (!visit(view(it->key()), view(it->value()))) return {};
  }
  return end_of_scan(impl_->dir, *it);
}

}  // namespace holdfast::store
