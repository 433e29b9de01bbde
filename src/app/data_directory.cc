#include "app/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "app/private_files.h"

namespace holdfast::app {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kVersionText = "holdfast data directory, format ";
constexpr std::string_view kRestoring = "RESTORING";

std::string version_text() {
  return fmt::format("{}{}\n", kVersionText, kDataFormat);
}

Status from_errno(int error, std::string_view what, const fs::path& path) {
  std::string message = fmt::format("{} {}: {}", what, path.string(), std::strerror(error));
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
      return {Code::kPermissionDenied,
              message + "; the data directory must be writable by the user that runs the server"};
    case ENOSPC:
    case EDQUOT: return {Code::kResourceExhausted, message + "; free some space and start again"};
    default: return {Code::kUnavailable, std::move(message)};
  }
}

std::optional<std::string> read_small(const fs::path& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char buffer[256];
  ssize_t got = ::read(fd, buffer, sizeof buffer);
  ::close(fd);
  return std::string(buffer, got > 0 ? static_cast<std::size_t>(got) : 0);
}

// The format of the directory; 0: nothing there yet.
Result<int> read_format(const fs::path& path) {
  std::optional<std::string> text = read_small(path / "VERSION");
  std::error_code ignored;
  if (!text && fs::exists(path / kRestoring, ignored)) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("a restore into {} did not come to its end, or is still running: what is there is "
                    "not whole. Remove it and restore again",
                    path.string()));
  }
  if (!text) {
    for (const auto& entry : fs::directory_iterator(path, ignored)) {
      // A start that was cut off before its VERSION leaves only these.
      if (entry.path().filename() == "lock" || entry.path().filename() == "VERSION.new") continue;
      return fail(
          Code::kFailedPrecondition,
          fmt::format("{} is not a Holdfast data directory (it holds {} but no VERSION); choose an empty or "
                      "new one with --data",
                      path.string(), entry.path().filename().string()));
    }
    return 0;
  }
  int format = 0;
  if (text->starts_with(kVersionText)) {
    std::from_chars(text->data() + kVersionText.size(), text->data() + text->size(), format);
  }
  if (format <= 0) {
    return fail(Code::kDataLoss, fmt::format("{}/VERSION is damaged: it says '{}'", path.string(),
                                             text->substr(0, text->find('\n'))));
  }
  if (format > kDataFormat) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format(
            "{} was written by a newer Holdfast (format {}, this one reads up to {}); start the newer "
            "version, or choose another directory with --data. Nothing was changed",
            path.string(), format, kDataFormat));
  }
  return format;
}

Status write_synced(const fs::path& path, std::string_view text) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return from_errno(errno, "cannot create", path);
  bool done = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  int error = errno;
  ::close(fd);
  return done ? Status() : from_errno(error, "cannot write", path);
}

Status sync_folder(const fs::path& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return from_errno(errno, "cannot open", path);
  int result = ::fsync(fd);
  int error = errno;
  ::close(fd);
  return result == 0 ? Status() : from_errno(error, "cannot sync", path);
}

Status write_version(const fs::path& path) {
  if (Status s = write_synced(path / "VERSION.new", version_text()); !s.ok()) return s;
  if (::rename((path / "VERSION.new").c_str(), (path / "VERSION").c_str()) != 0) {
    return from_errno(errno, "cannot write", path / "VERSION");
  }
  return sync_folder(path);
}

// `path` may not be there yet: its nearest folder that is counts.
Status check_space(const fs::path& path) {
  std::error_code error;
  fs::path there = fs::absolute(path, error);
  while (there.has_relative_path() && !fs::exists(there, error)) there = there.parent_path();
  struct statvfs disk{};
  if (::statvfs(there.c_str(), &disk) != 0) return {};
  std::uint64_t free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  if (free >= kMinFreeBytes) return {};
  return {Code::kResourceExhausted,
          fmt::format("the disk of {} is full: {} MiB free, {} MiB are needed to start. Nothing was changed",
                      path.string(), free >> 20, kMinFreeBytes >> 20)};
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error) && !fs::is_directory(path, error)) {
    return fail(Code::kInvalidArgument, fmt::format("--data: {} is not a directory", path.string()));
  }
  bool existed = fs::is_directory(path, error);
  if (existed) {
    if (Result<int> format = read_format(path); !format) return std::unexpected(format.error());
    if (Status owned = check_owner(path); !owned.ok()) return fail(std::move(owned));
  }
  if (Status space = check_space(path); !space.ok()) return fail(std::move(space));
  if (!existed && !fs::create_directories(path, error) && error) {
    return fail(from_errno(error.value(), "cannot create", path));
  }

  fs::path lock_path = path / "lock";
  int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return fail(from_errno(errno, "cannot open", lock_path));
  DataDirectory directory(fs::absolute(path, error), lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    std::string pid = read_small(lock_path).value_or("");
    return fail(
        Code::kUnavailable,
        fmt::format("{} is in use by another Holdfast server (pid {}); stop it, or choose another directory "
                    "with --data",
                    path.string(), pid.empty() ? "unknown" : pid.substr(0, pid.find('\n'))));
  }
  if (Status tight = make_private(path); !tight.ok()) return fail(std::move(tight));
  // What a backup left that was killed.
  fs::remove_all(directory.checkpoint_path(), error);
  // Again under the lock: the one who held it may have been another version.
  Result<int> format = read_format(path);
  if (!format) return std::unexpected(format.error());
  if (*format == 0) {
    if (Status written = write_version(path); !written.ok()) return fail(std::move(written));
  } else if (::access(path.c_str(), W_OK) != 0) {
    return fail(from_errno(errno, "cannot write", path));
  }
  std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(lock, 0) != 0 ||
      ::pwrite(lock, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return fail(from_errno(errno, "cannot write", lock_path));
  }
  return directory;
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory::~DataDirectory() {
  if (lock_ < 0) return;
  ::close(lock_);
}

std::vector<std::filesystem::path> DataDirectory::stores() const {
  return {engine_path(),     visibility_path(), platform_path(),      checkpoint_path(),
          path_ / "VERSION", path_ / "lock",    path_ / kPlatformMark};
}

void DataDirectory::write_addresses(const std::string& json) const {
  fs::path next = path_ / "addresses.json.new";
  int fd = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  bool written = ::write(fd, json.data(), json.size()) == static_cast<ssize_t>(json.size());
  ::close(fd);
  if (written) ::rename(next.c_str(), (path_ / "addresses.json").c_str());
}

std::optional<std::string> platform_mark(const fs::path& data) {
  std::optional<std::string> text = read_small(data / kPlatformMark);
  if (text && text->ends_with('\n')) text->pop_back();
  return text;
}

Status keep_platform_mark(const fs::path& data, const std::string& identity) {
  const fs::path mark = data / kPlatformMark;
  const fs::path next = mark.string() + ".new";
  if (Status written = write_synced(next, identity + "\n"); !written.ok()) return written;
  if (::rename(next.c_str(), mark.c_str()) != 0) return from_errno(errno, "cannot write", mark);
  return sync_folder(data);
}

// A new folder gets its name with the mark in it already; one that is there and empty is marked in its place.
Result<UnfinishedDataDirectory> UnfinishedDataDirectory::create(const fs::path& target) {
  std::error_code error;
  const fs::path path = fs::absolute(target, error).lexically_normal();
  const bool there = fs::exists(path, error);
  if (there && (!fs::is_directory(path, error) || !fs::is_empty(path, error))) {
    Result<int> format = fs::is_directory(path, error) ? read_format(path) : Result<int>(0);
    const bool cut_off = !format && fs::exists(path / kRestoring, error);
    return fail(Code::kFailedPrecondition,
                cut_off ? format.error().message()
                        : fmt::format("{} is not empty: a restore needs a folder that is new or empty",
                                      path.string()));
  }
  const fs::path parent = path.has_filename() ? path.parent_path() : path.parent_path().parent_path();
  const fs::path start = there ? path : parent / fmt::format(".holdfast-restore-{}", ::getpid());
  if (!there) {
    fs::remove_all(start, error);
    if (!fs::create_directories(start, error) || error)
      return fail(from_errno(error.value(), "cannot create", start));
  }
  UnfinishedDataDirectory unfinished(start);
  if (::chmod(start.c_str(), S_IRWXU) != 0) return fail(from_errno(errno, "cannot keep from others", start));
  if (Status written = write_synced(start / kRestoring, version_text()); !written.ok())
    return fail(std::move(written));
  if (Status synced = sync_folder(start); !synced.ok()) return fail(std::move(synced));
  if (there) return unfinished;
  if (::rename(start.c_str(), path.c_str()) != 0) return fail(from_errno(errno, "cannot create", path));
  unfinished.path_ = path;
  if (Status synced = sync_folder(parent); !synced.ok()) return fail(std::move(synced));
  return unfinished;
}

UnfinishedDataDirectory::UnfinishedDataDirectory(UnfinishedDataDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

UnfinishedDataDirectory::~UnfinishedDataDirectory() {
  if (path_.empty()) return;
  // The mark goes last: what is left of a removal that is killed is no data directory either.
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path_, ignored)) {
    if (entry.path().filename() != kRestoring) fs::remove_all(entry.path(), ignored);
  }
  fs::remove_all(path_, ignored);
}

Status UnfinishedDataDirectory::finish() {
  if (::rename((path_ / kRestoring).c_str(), (path_ / "VERSION").c_str()) != 0)
    return from_errno(errno, "cannot write", path_ / "VERSION");
  const fs::path path = std::exchange(path_, {});
  return sync_folder(path);
}

DataDirectoryState inspect_data_directory(const fs::path& path) {
  using Kind = DataDirectoryState::Kind;
  std::error_code error;
  if (!fs::exists(path, error)) return {Kind::kAbsent, "not there yet; the first start makes it"};
  if (!fs::is_directory(path, error)) return {Kind::kForeign, "is not a directory"};
  Result<int> format = read_format(path);
  if (!format) {
    bool newer = format.error().message().find("newer") != std::string::npos;
    return {newer ? Kind::kNewer : Kind::kForeign, format.error().message()};
  }
  if (::access(path.c_str(), W_OK) != 0) return {Kind::kUnwritable, std::strerror(errno)};
  int lock = ::open((path / "lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (lock >= 0) {
    bool free = ::flock(lock, LOCK_EX | LOCK_NB) == 0;
    ::close(lock);
    if (!free) {
      std::string pid = read_small(path / "lock").value_or("");
      return {Kind::kInUse, fmt::format("a server runs on it (pid {})", pid.substr(0, pid.find('\n')))};
    }
  }
  return {Kind::kUsable, *format == 0 ? "empty" : fmt::format("format {}", *format)};
}

}  // namespace holdfast::app
