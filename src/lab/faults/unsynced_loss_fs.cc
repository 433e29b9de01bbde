#include "faults/unsynced_loss_fs.h"

#include <rocksdb/file_system.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "faults/sync_hook.h"

namespace holdfast::faults {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr std::string_view kShadowSuffix = ".hf-unsynced";

bool is_shadow(std::string_view path) {
  return path.ends_with(kShadowSuffix);
}

std::string dir_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string without_slash(std::string dir) {
  while (dir.size() > 1 && dir.back() == '/') dir.pop_back();
  return dir;
}

// What a file holds beyond its real file. Shared by its writer and its readers.
struct Content {
  std::mutex mutex;
  std::uint64_t synced = 0;  // bytes in the real file that count; early write-back may have put more there
  std::string unsynced;      // guarded by mutex, like synced
};
using ContentPtr = std::shared_ptr<Content>;

class LossFs;

class WritableFile final : public rocksdb::FSWritableFile {
 public:
  WritableFile(std::unique_ptr<rocksdb::FSWritableFile> real, std::string name, ContentPtr content,
               std::uint64_t seed)
      : real_(std::move(real)), name_(std::move(name)), content_(std::move(content)), state_(seed) {}

  using rocksdb::FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    const std::lock_guard lock(content_->mutex);
    content_->unsynced.append(data.data(), data.size());
    return state_ == 0 ? IOStatus::OK() : write_back_some(options, debug);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    tell_sync(name_, false);
    const std::lock_guard lock(content_->mutex);
    IOStatus status = write_through(content_->unsynced.size(), options, debug);
    if (status.ok()) status = real_->Flush(options, debug);
    if (status.ok()) status = real_->Fsync(options, debug);
    if (!status.ok()) return status;
    content_->synced += content_->unsynced.size();
    content_->unsynced.clear();
    early_ = 0;
    tell_sync(name_, true);
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override { return Sync(options, debug); }
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  void PrepareWrite(std::size_t, std::size_t, const IOOptions&, IODebugContext*) override {}
  IOStatus Allocate(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(content_->mutex);
    if (size < content_->synced + early_) return IOStatus::NotSupported("truncating synced bytes");
    content_->unsynced.resize(size - content_->synced);
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    return real_->Close(options, debug);
  }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(content_->mutex);
    return content_->synced + content_->unsynced.size();
  }

 private:
  // The first `size` bytes of what is unsynced, less what went early, to the real file.
  IOStatus write_through(std::size_t size, const IOOptions& options, IODebugContext* debug) {
    if (size <= early_) return IOStatus::OK();
    const IOStatus status =
        real_->Append(Slice(content_->unsynced.data() + early_, size - early_), options, debug);
    if (status.ok()) early_ = size;
    return status;
  }

  IOStatus write_back_some(const IOOptions& options, IODebugContext* debug) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::uint64_t dice = state_ >> 33;
    if (dice % 4 != 0) return IOStatus::OK();
    const std::size_t size = early_ + (dice >> 2) % (content_->unsynced.size() - early_ + 1);
    IOStatus status = write_through(size, options, debug);
    if (status.ok()) status = real_->Flush(options, debug);
    return status;
  }

  std::unique_ptr<rocksdb::FSWritableFile> real_;
  const std::string name_;
  ContentPtr content_;
  std::size_t early_ = 0;    // prefix of unsynced that is in the real file already
  std::uint64_t state_ = 0;  // of the early write-back, 0: none
};

// Real file up to `synced`, memory behind it.
IOStatus read_both(Content& content, std::uint64_t offset, std::size_t n, Slice* result, char* scratch,
                   const std::function<IOStatus(std::uint64_t, std::size_t, Slice*, char*)>& real) {
  const std::lock_guard lock(content.mutex);
  std::size_t got = 0;
  if (offset < content.synced) {
    const std::size_t wanted = std::min<std::uint64_t>(n, content.synced - offset);
    Slice part;
    if (IOStatus status = real(offset, wanted, &part, scratch); !status.ok()) return status;
    if (part.data() != scratch) std::memmove(scratch, part.data(), part.size());
    got = part.size();
    if (got < wanted) {
      *result = Slice(scratch, got);
      return IOStatus::OK();
    }
  }
  const std::uint64_t behind = offset + got - content.synced;
  if (got < n && behind < content.unsynced.size()) {
    const std::size_t more = std::min<std::size_t>(n - got, content.unsynced.size() - behind);
    std::memcpy(scratch + got, content.unsynced.data() + behind, more);
    got += more;
  }
  *result = Slice(scratch, got);
  return IOStatus::OK();
}

class RandomFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  RandomFile(std::unique_ptr<rocksdb::FSRandomAccessFile> real, ContentPtr content)
      : FSRandomAccessFileOwnerWrapper(std::move(real)), content_(std::move(content)) {}
  IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) const override {
    return read_both(*content_, offset, n, result, scratch,
                     [&](std::uint64_t o, std::size_t size, Slice* part, char* s) {
                       return FSRandomAccessFileOwnerWrapper::Read(o, size, options, part, s, debug);
                     });
  }
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, std::size_t count, const IOOptions& options,
                     IODebugContext* debug) override {
    for (std::size_t i = 0; i < count; ++i) {
      rocksdb::FSReadRequest& r = requests[i];
      r.status = Read(r.offset, r.len, options, &r.result, r.scratch, debug);
    }
    return IOStatus::OK();
  }
  IOStatus Prefetch(std::uint64_t, std::size_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::NotSupported("Prefetch");
  }

 private:
  ContentPtr content_;
};

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialFile(std::unique_ptr<rocksdb::FSRandomAccessFile> file) : file_(std::move(file)) {}
  IOStatus Read(std::size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) override {
    IOStatus status = file_->Read(at_, n, options, result, scratch, debug);
    if (status.ok()) at_ += result->size();
    return status;
  }
  IOStatus Skip(std::uint64_t n) override {
    at_ += n;
    return IOStatus::OK();
  }

 private:
  std::unique_ptr<rocksdb::FSRandomAccessFile> file_;
  std::uint64_t at_ = 0;
};

class LossFs final : public rocksdb::FileSystemWrapper {
 public:
  explicit LossFs(const UnsyncedLossOptions& options)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), seed_(options.early_writeback_seed) {}
  const char* Name() const override { return "UnsyncedLossFs"; }

  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) override {
    const std::lock_guard lock(mutex_);
    const std::string shadow = name + "." + std::to_string(::getpid()) + "-" + std::to_string(++shadows_) +
                               std::string(kShadowSuffix);
    std::unique_ptr<rocksdb::FSWritableFile> real;
    if (IOStatus status = target()->NewWritableFile(shadow, options, &real, debug); !status.ok())
      return status;
    auto content = std::make_shared<Content>();
    names_[name] = shadow;
    removed_.erase(name);
    contents_[name] = content;
    pending_[dir_of(name)].push_back({Change::Kind::kRename, shadow, name});
    const std::uint64_t file_seed = seed_ == 0 ? 0 : (seed_ ^ (shadows_ * 0x9E3779B97F4A7C15ULL)) | 1;
    *file = std::make_unique<WritableFile>(std::move(real), name, std::move(content), file_seed);
    return IOStatus::OK();
  }
  // RocksDB needs these for recycled logs, external files and caches only, none of which the store uses.
  IOStatus ReopenWritableFile(const std::string&, const FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) override {
    return IOStatus::NotSupported("ReopenWritableFile");
  }
  IOStatus ReuseWritableFile(const std::string&, const std::string&, const FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) override {
    return IOStatus::NotSupported("ReuseWritableFile");
  }
  IOStatus NewRandomRWFile(const std::string&, const FileOptions&, std::unique_ptr<rocksdb::FSRandomRWFile>*,
                           IODebugContext*) override {
    return IOStatus::NotSupported("NewRandomRWFile");
  }
  IOStatus LinkFile(const std::string&, const std::string&, const IOOptions&, IODebugContext*) override {
    return IOStatus::NotSupported("LinkFile");
  }
  IOStatus Truncate(const std::string&, std::size_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::NotSupported("Truncate");
  }

  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                               IODebugContext* debug) override {
    const std::lock_guard lock(mutex_);
    std::string real;
    if (!resolve(name, &real)) return IOStatus::PathNotFound(name);
    IOStatus status = target()->NewRandomAccessFile(real, options, file, debug);
    const auto content = contents_.find(name);
    if (status.ok() && content != contents_.end()) {
      *file = std::make_unique<RandomFile>(std::move(*file), content->second);
    }
    return status;
  }
  IOStatus NewSequentialFile(const std::string& name, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* file,
                             IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSRandomAccessFile> random;
    IOStatus status = NewRandomAccessFile(name, options, &random, debug);
    if (status.ok()) *file = std::make_unique<SequentialFile>(std::move(random));
    return status;
  }

  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* dir, IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSDirectory> real;
    if (IOStatus status = target()->NewDirectory(name, options, &real, debug); !status.ok()) return status;
    *dir = std::make_unique<Directory>(*this, without_slash(name), std::move(real));
    return IOStatus::OK();
  }

  IOStatus FileExists(const std::string& name, const IOOptions& options, IODebugContext* debug) override {
    const std::lock_guard lock(mutex_);
    std::string real;
    return resolve(name, &real) ? target()->FileExists(real, options, debug) : IOStatus::NotFound(name);
  }
  IOStatus GetFileSize(const std::string& name, const IOOptions& options, std::uint64_t* size,
                       IODebugContext* debug) override {
    const std::lock_guard lock(mutex_);
    std::string real;
    if (!resolve(name, &real)) return IOStatus::PathNotFound(name);
    if (const auto found = contents_.find(name); found != contents_.end()) {
      const std::lock_guard content_lock(found->second->mutex);
      *size = found->second->synced + found->second->unsynced.size();
      return IOStatus::OK();
    }
    return target()->GetFileSize(real, options, size, debug);
  }
  IOStatus GetFileModificationTime(const std::string& name, const IOOptions& options, std::uint64_t* time,
                                   IODebugContext* debug) override {
    const std::lock_guard lock(mutex_);
    std::string real;
    if (!resolve(name, &real)) return IOStatus::PathNotFound(name);
    return target()->GetFileModificationTime(real, options, time, debug);
  }

  IOStatus GetChildren(const std::string& dir, const IOOptions& options, std::vector<std::string>* names,
                       IODebugContext* debug) override {
    const std::lock_guard lock(mutex_);
    const std::string prefix = without_slash(dir) + "/";
    std::vector<std::string> real;
    if (IOStatus status = target()->GetChildren(dir, options, &real, debug); !status.ok()) return status;
    std::set<std::string> all;
    for (const std::string& name : real) {
      if (is_shadow(name)) {
        forget_former(prefix + name, options, debug);
      } else if (!removed_.contains(prefix + name)) {
        all.insert(name);
      }
    }
    for (const auto& [name, shadow] : names_) {
      if (name.starts_with(prefix) && name.find('/', prefix.size()) == std::string::npos)
        all.insert(name.substr(prefix.size()));
    }
    names->assign(all.begin(), all.end());
    return IOStatus::OK();
  }
  IOStatus GetChildrenFileAttributes(const std::string& dir, const IOOptions& options,
                                     std::vector<rocksdb::FileAttributes>* result,
                                     IODebugContext* debug) override {
    return FileSystem::GetChildrenFileAttributes(dir, options, result, debug);
  }

  // RocksDB deletes again what it had deleted before a restart, and takes no notice when it is not there.
  IOStatus DeleteFile(const std::string& name, const IOOptions& options, IODebugContext* debug) override {
    const std::lock_guard lock(mutex_);
    std::string real;
    if (!resolve(name, &real) || !target()->FileExists(real, options, debug).ok())
      return IOStatus::PathNotFound(name);
    names_.erase(name);
    contents_.erase(name);
    removed_.insert(name);
    pending_[dir_of(name)].push_back({Change::Kind::kRemove, name, {}});
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
    const std::lock_guard lock(mutex_);
    std::string real;
    if (!resolve(from, &real)) return IOStatus::PathNotFound(from);
    names_.erase(from);
    names_[to] = real;
    removed_.erase(to);
    removed_.insert(from);
    contents_.erase(to);
    if (auto content = contents_.extract(from)) {
      content.key() = to;
      contents_.insert(std::move(content));
    }
    pending_[dir_of(to)].push_back({Change::Kind::kRename, from, to});
    return IOStatus::OK();
  }

  // The directory was synced: its names become real, in the order in which they changed.
  IOStatus sync_names(const std::string& dir, const IOOptions& options, IODebugContext* debug) {
    const std::lock_guard lock(mutex_);
    for (const Change& change : pending_[dir]) {
      const IOStatus status = change.kind == Change::Kind::kRename
                                  ? target()->RenameFile(change.from, change.to, options, debug)
                                  : target()->DeleteFile(change.from, options, debug);
      if (!status.ok()) return status;
    }
    pending_.erase(dir);
    std::erase_if(names_, [&](const auto& entry) { return dir_of(entry.first) == dir; });
    std::erase_if(removed_, [&](const std::string& name) { return dir_of(name) == dir; });
    return IOStatus::OK();
  }

 private:
  struct Change {
    enum class Kind : std::uint8_t { kRename, kRemove };
    Kind kind;
    std::string from;
    std::string to;
  };

  class Directory final : public rocksdb::FSDirectoryWrapper {
   public:
    Directory(LossFs& owner, std::string name, std::unique_ptr<rocksdb::FSDirectory> real)
        : FSDirectoryWrapper(std::move(real)), owner_(owner), name_(std::move(name)) {}
    IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
      IOStatus status = owner_.sync_names(name_, options, debug);
      return status.ok() ? FSDirectoryWrapper::Fsync(options, debug) : status;
    }
    IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                                 const rocksdb::DirFsyncOptions&) override {
      return Fsync(options, debug);
    }

   private:
    LossFs& owner_;
    std::string name_;
  };

  // Where a name's bytes really are; false when there is no such name.
  bool resolve(const std::string& name, std::string* real) const {
    if (removed_.contains(name)) return false;
    const auto found = names_.find(name);
    *real = found == names_.end() ? name : found->second;
    return true;
  }

  // A shadow this process did not make was lost with the process that did.
  void forget_former(const std::string& path, const IOOptions& options, IODebugContext* debug) {
    for (const auto& [name, shadow] : names_) {
      if (shadow == path) return;
    }
    for (const auto& [dir, changes] : pending_) {
      for (const Change& change : changes) {
        if (change.from == path) return;
      }
    }
    target()->DeleteFile(path, options, debug).PermitUncheckedError();
  }

  std::mutex mutex_;
  const std::uint64_t seed_;
  std::uint64_t shadows_ = 0;                           // the rest: guarded by mutex_
  std::map<std::string, std::string> names_;            // names not yet real -> where the bytes are
  std::set<std::string> removed_;                       // names gone, but not yet from the real directory
  std::map<std::string, ContentPtr> contents_;          // files written by this process
  std::map<std::string, std::vector<Change>> pending_;  // by directory
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> make_unsynced_loss_fs(const UnsyncedLossOptions& options) {
  return std::make_shared<LossFs>(options);
}

}  // namespace holdfast::faults
