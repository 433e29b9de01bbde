#include "sqlite/spill_limit.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>

#include "base/check.h"

namespace holdfast::sqlite {

namespace {

thread_local SpillLimit* of_this_thread = nullptr;
std::atomic<std::int64_t> used_by_all = 0;

// SQLite allocates szOsFile bytes: this, and the real file behind it.
struct File {
  sqlite3_file base;
  SpillLimit* limit;
  std::int64_t size;
  sqlite3_file* real;
};

File& self(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}

sqlite3_file* real_of(sqlite3_file* file) {
  return self(file).real;
}

int close_file(sqlite3_file* file) {
  self(file).limit->give_back(self(file).size);
  self(file).limit->closed();
  return real_of(file)->pMethods->xClose(real_of(file));
}

int read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 at) {
  return real_of(file)->pMethods->xRead(real_of(file), to, bytes, at);
}

int write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 at) {
  File& own = self(file);
  const std::int64_t more = at + bytes - own.size;
  if (more > 0) {
    if (!own.limit->take(more)) return SQLITE_FULL;
    own.size += more;
  }
  return own.real->pMethods->xWrite(own.real, from, bytes, at);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  File& own = self(file);
  const int code = own.real->pMethods->xTruncate(own.real, size);
  if (code == SQLITE_OK && size < own.size) {
    own.limit->give_back(own.size - size);
    own.size = size;
  }
  return code;
}

int sync(sqlite3_file*, int) {
  return SQLITE_OK;  // nobody reads it after a crash
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

// Nobody else knows the file.
int lock(sqlite3_file*, int) {
  return SQLITE_OK;
}

int is_reserved(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}

// Size hints among them, which would grow the file unseen.
int control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}

int sector_size(sqlite3_file* file) {
  return real_of(file)->pMethods->xSectorSize(real_of(file));
}

int characteristics(sqlite3_file* file) {
  return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

sqlite3_io_methods methods() {
  sqlite3_io_methods made{};
  made.iVersion = 1;  // no shared memory, no mapping
  made.xClose = close_file;
  made.xRead = read;
  made.xWrite = write;
  made.xTruncate = truncate;
  made.xSync = sync;
  made.xFileSize = file_size;
  made.xLock = lock;
  made.xUnlock = lock;
  made.xCheckReservedLock = is_reserved;
  made.xFileControl = control;
  made.xSectorSize = sector_size;
  made.xDeviceCharacteristics = characteristics;
  return made;
}

sqlite3_vfs* machine_vfs = nullptr;  // set before the first file is opened

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* opened) {
  constexpr int kTemporary = SQLITE_OPEN_DELETEONCLOSE | SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TRANSIENT_DB |
                             SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_SUBJOURNAL;
  SpillLimit* limit = SpillLimit::current();
  if ((flags & kTemporary) == 0 || limit == nullptr)
    return machine_vfs->xOpen(machine_vfs, name, file, flags, opened);
  static const sqlite3_io_methods kMethods = methods();
  File& own = self(file);
  own = {.base = {nullptr}, .limit = limit, .size = 0, .real = reinterpret_cast<sqlite3_file*>(&own + 1)};
  const int code = machine_vfs->xOpen(machine_vfs, name, own.real, flags, opened);
  if (code == SQLITE_OK) {
    own.base.pMethods = &kMethods;
    limit->opened();
  } else if (own.real->pMethods != nullptr) {
    own.real->pMethods->xClose(own.real);
  }
  return code;
}

const char* make_vfs() {
  static sqlite3_vfs vfs;
  machine_vfs = sqlite3_vfs_find(nullptr);
  vfs = *machine_vfs;
  vfs.zName = "hf-counted-spill";
  vfs.szOsFile += static_cast<int>(sizeof(File));
  vfs.xOpen = open_file;
  HF_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
  return vfs.zName;
}

}  // namespace

const std::string& spill_vfs() {
  static const std::string kName = make_vfs();
  return kName;
}

SpillLimit::SpillLimit(std::int64_t limit_bytes, std::int64_t limit_of_all)
    : limit_(limit_bytes), limit_of_all_(limit_of_all) {
  HF_CHECK(of_this_thread == nullptr);
  of_this_thread = this;
}

SpillLimit::~SpillLimit() {
  of_this_thread = nullptr;
}

SpillLimit* SpillLimit::current() {
  return of_this_thread;
}

bool SpillLimit::take(std::int64_t bytes) {
  if (bytes > limit_ - used_) {
    reached_ = true;
    return false;
  }
  if (used_by_all.fetch_add(bytes) + bytes > limit_of_all_) {
    used_by_all.fetch_sub(bytes);
    crowded_ = true;
    return false;
  }
  used_ += bytes;
  return true;
}

void SpillLimit::give_back(std::int64_t bytes) {
  used_ -= bytes;
  used_by_all.fetch_sub(bytes);
}

}  // namespace holdfast::sqlite
