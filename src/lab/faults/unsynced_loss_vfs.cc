#include "faults/unsynced_loss_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>

#include "base/check.h"
#include "faults/sync_hook.h"

namespace holdfast::faults {
namespace {

constexpr const char* kName = "hf-unsynced-loss";
constexpr std::int64_t kBlock = 4096;
using Block = std::array<char, kBlock>;

// What a file holds on top of its real file; shared by every connection of the process.
struct Content {
  std::mutex mutex;
  bool known = false;     // sizes below are read from the real file at first use
  std::int64_t size = 0;  // as SQLite sees it
  std::int64_t real_size = 0;
  std::int64_t real_valid =
      0;  // real bytes that still count: what was truncated since the last sync does not
  std::map<std::int64_t, Block> blocks;  // changed since the last sync, whole
};

std::mutex contents_mutex;

std::map<std::string, std::shared_ptr<Content>>& contents() {
  static auto* const all = new std::map<std::string, std::shared_ptr<Content>>;
  return *all;
}

// SQLite allocates szOsFile bytes: this, and the real VFS's file behind it.
struct File {
  sqlite3_file base;
  std::shared_ptr<Content>* content;
  sqlite3_file* real;
  const char* name;  // SQLite's, while the file is open; null: a temporary one
};

File& self(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}
Content& content_of(sqlite3_file* file) {
  return **self(file).content;
}
sqlite3_file* real_of(sqlite3_file* file) {
  return self(file).real;
}
sqlite3_vfs* real_vfs(sqlite3_vfs* vfs) {
  return static_cast<sqlite3_vfs*>(vfs->pAppData);
}

int learn_size(sqlite3_file* real, Content& c) {
  if (c.known) return SQLITE_OK;
  sqlite3_int64 size = 0;
  const int code = real->pMethods->xFileSize(real, &size);
  if (code != SQLITE_OK) return code;
  c.size = c.real_size = c.real_valid = size;
  c.known = true;
  return SQLITE_OK;
}

// The block as it is now, from memory or from the real file, zeros where neither has bytes.
int load_block(sqlite3_file* real, const Content& c, std::int64_t index, Block& block) {
  if (const auto found = c.blocks.find(index); found != c.blocks.end()) {
    block = found->second;
    return SQLITE_OK;
  }
  block.fill('\0');
  const std::int64_t offset = index * kBlock;
  const std::int64_t bytes = std::clamp<std::int64_t>(c.real_valid - offset, 0, kBlock);
  if (bytes == 0) return SQLITE_OK;
  return real->pMethods->xRead(real, block.data(), static_cast<int>(bytes), offset);
}

int close_file(sqlite3_file* file) {
  const int code = real_of(file)->pMethods->xClose(real_of(file));
  delete self(file).content;
  return code;
}

int read_file(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  Content& c = content_of(file);
  const std::lock_guard lock(c.mutex);
  if (const int code = learn_size(real_of(file), c); code != SQLITE_OK) return code;
  auto* out = static_cast<char*>(to);
  const std::int64_t end = std::min<std::int64_t>(offset + amount, c.size);
  std::int64_t at = offset;
  while (at < end) {
    Block block;
    if (const int code = load_block(real_of(file), c, at / kBlock, block); code != SQLITE_OK) return code;
    const std::int64_t part = std::min(end, (at / kBlock + 1) * kBlock) - at;
    std::memcpy(out + (at - offset), block.data() + at % kBlock, static_cast<std::size_t>(part));
    at += part;
  }
  if (at >= offset + amount) return SQLITE_OK;
  std::memset(out + (at - offset), 0, static_cast<std::size_t>(offset + amount - at));
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
  Content& c = content_of(file);
  const std::lock_guard lock(c.mutex);
  if (const int code = learn_size(real_of(file), c); code != SQLITE_OK) return code;
  const auto* in = static_cast<const char*>(from);
  const std::int64_t end = offset + amount;
  for (std::int64_t at = offset; at < end;) {
    Block block;
    if (const int code = load_block(real_of(file), c, at / kBlock, block); code != SQLITE_OK) return code;
    const std::int64_t part = std::min(end, (at / kBlock + 1) * kBlock) - at;
    std::memcpy(block.data() + at % kBlock, in + (at - offset), static_cast<std::size_t>(part));
    c.blocks[at / kBlock] = block;
    at += part;
  }
  c.size = std::max(c.size, end);
  return SQLITE_OK;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  Content& c = content_of(file);
  const std::lock_guard lock(c.mutex);
  if (const int code = learn_size(real_of(file), c); code != SQLITE_OK) return code;
  if (size < c.size) {
    c.blocks.erase(c.blocks.lower_bound((size + kBlock - 1) / kBlock), c.blocks.end());
    if (const auto last = c.blocks.find(size / kBlock); last != c.blocks.end() && size % kBlock != 0) {
      std::fill(last->second.begin() + size % kBlock, last->second.end(), '\0');
    }
    c.real_valid = std::min<std::int64_t>(c.real_valid, size);
  }
  c.size = size;
  return SQLITE_OK;
}

std::string_view name_of(sqlite3_file* file) {
  const char* name = self(file).name;
  return name == nullptr ? "" : name;
}

int sync_file(sqlite3_file* file, int flags) {
  tell_sync(name_of(file), false);
  Content& c = content_of(file);
  const std::lock_guard lock(c.mutex);
  sqlite3_file* real = real_of(file);
  if (const int code = learn_size(real, c); code != SQLITE_OK) return code;
  if (c.real_valid < c.real_size) {
    if (const int code = real->pMethods->xTruncate(real, c.real_valid); code != SQLITE_OK) return code;
    c.real_size = c.real_valid;
  }
  for (const auto& [index, block] : c.blocks) {
    const std::int64_t offset = index * kBlock;
    const std::int64_t bytes = std::min(kBlock, c.size - offset);
    if (const int code = real->pMethods->xWrite(real, block.data(), static_cast<int>(bytes), offset);
        code != SQLITE_OK) {
      return code;
    }
    c.real_size = std::max(c.real_size, offset + bytes);
  }
  if (c.real_size < c.size) {
    if (const int code = real->pMethods->xTruncate(real, c.size); code != SQLITE_OK) return code;
    c.real_size = c.size;
  }
  if (const int code = real->pMethods->xSync(real, flags); code != SQLITE_OK) return code;
  c.blocks.clear();
  c.real_valid = c.size;
  tell_sync(name_of(file), true);
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  Content& c = content_of(file);
  const std::lock_guard lock(c.mutex);
  const int code = learn_size(real_of(file), c);
  *size = c.size;
  return code;
}

int lock_file(sqlite3_file* f, int level) {
  return real_of(f)->pMethods->xLock(real_of(f), level);
}
int unlock_file(sqlite3_file* f, int level) {
  return real_of(f)->pMethods->xUnlock(real_of(f), level);
}
int check_lock(sqlite3_file* f, int* out) {
  return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}
int file_control(sqlite3_file* f, int op, void* arg) {
  // Both would touch the real file behind our back.
  if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
  return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}
int sector_size(sqlite3_file* f) {
  return real_of(f)->pMethods->xSectorSize(real_of(f));
}
int device_characteristics(sqlite3_file* f) {
  return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}
int shm_lock(sqlite3_file* f, int offset, int n, int flags) {
  return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}
void shm_barrier(sqlite3_file* f) {
  real_of(f)->pMethods->xShmBarrier(real_of(f));
}
int shm_unmap(sqlite3_file* f, int remove) {
  return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

// Version 2: shared memory for WAL, no mapped reads.
constexpr sqlite3_io_methods kMethods = {2,
                                         close_file,
                                         read_file,
                                         write_file,
                                         truncate_file,
                                         sync_file,
                                         file_size,
                                         lock_file,
                                         unlock_file,
                                         check_lock,
                                         file_control,
                                         sector_size,
                                         device_characteristics,
                                         shm_map,
                                         shm_lock,
                                         shm_barrier,
                                         shm_unmap,
                                         nullptr,
                                         nullptr};

int open_file(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  File& f = self(file);
  f.base.pMethods = nullptr;
  f.name = name;
  f.real = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(File));
  const int code = real_vfs(vfs)->xOpen(real_vfs(vfs), name, f.real, flags, out_flags);
  if (code != SQLITE_OK) {
    if (f.real->pMethods != nullptr) f.real->pMethods->xClose(f.real);
    return code;
  }
  auto content = std::make_shared<Content>();
  if (name != nullptr) {
    const std::lock_guard lock(contents_mutex);
    content = contents().try_emplace(name, std::move(content)).first->second;
  }
  f.content = new std::shared_ptr<Content>(std::move(content));
  f.base.pMethods = &kMethods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_dir) {
  const int code = real_vfs(vfs)->xDelete(real_vfs(vfs), name, sync_dir);
  const std::lock_guard lock(contents_mutex);
  contents().erase(name);
  return code;
}

int access_file(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
  return real_vfs(vfs)->xAccess(real_vfs(vfs), name, flags, out);
}

sqlite3_vfs make_vfs() {
  sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
  HF_CHECK(real != nullptr);
  sqlite3_vfs vfs =
      *real;  // time, randomness, paths and libraries stay the real one's: they ignore the vfs argument
  vfs.iVersion = 2;
  vfs.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
  vfs.pNext = nullptr;
  vfs.zName = kName;
  vfs.pAppData = real;
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = access_file;
  return vfs;
}

}  // namespace

const char* register_unsynced_loss_vfs() {
  static sqlite3_vfs vfs = make_vfs();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  HF_CHECK(registered == SQLITE_OK);
  return kName;
}

}  // namespace holdfast::faults
