#pragma once

// The data directory of a server: one process at a time, one format version. Opening it checks everything
// that can be checked before anything is written, so a refused start changes nothing. It is its user's alone
// (app/private_files.h): one that others may read is tightened, one that others own is refused.
//
//   VERSION          format of everything below
//   lock             held (flock) while a server runs; its text is the server's pid
//   addresses.json   where the running server listens, for the command line
//   local-key        what its user's programs show it (identity_role.h); another one at each start
//   engine/          executions and histories (RocksDB)
//   visibility.db    index, rebuilt when lost (SQLite)
//   platform/        conversations, approvals, streams (SQLite)
//   platform-store   instead of it: which store on PostgreSQL has them
//   control          socket of the running server, for commands of its user
//   checkpoint/      what a backup is copying
//   RESTORING        instead of VERSION: a restore did not come to its end

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::app {

inline constexpr int kDataFormat = 1;
inline constexpr std::string_view kEngineFolder = "engine";
inline constexpr std::string_view kPlatformFolder = "platform";
inline constexpr std::string_view kPlatformMark = "platform-store";
// A start with less free space is refused: it could not even roll a log.
inline constexpr std::uint64_t kMinFreeBytes = 32 << 20;

class DataDirectory {
 public:
  // kUnavailable: locked. kFailedPrecondition: newer format, or a folder of something else.
  // kPermissionDenied: cannot be written, or belongs to another user. kResourceExhausted: disk full.
  static Result<DataDirectory> open(const std::filesystem::path& path);
  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  const std::filesystem::path& path() const { return path_; }
  std::string engine_path() const { return path_ / kEngineFolder; }
  std::string visibility_path() const { return path_ / "visibility.db"; }
  std::string platform_path() const { return path_ / kPlatformFolder; }
  std::filesystem::path checkpoint_path() const { return path_ / "checkpoint"; }

  // What definitions have no business in: everything that a server keeps for itself.
  std::vector<std::filesystem::path> stores() const;

  // Atomic; not synced, because it only speaks about this process.
  void write_addresses(const std::string& json) const;

 private:
  DataDirectory(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::filesystem::path path_;
  int lock_ = -1;
};

// The identity of the store on PostgreSQL that the directory belongs to; none: it has its own.
std::optional<std::string> platform_mark(const std::filesystem::path& data);
// Durable when it returns OK.
Status keep_platform_mark(const std::filesystem::path& data, const std::string& identity);

// A data directory that is being filled by somebody else, a restore. No server starts on it before finish(),
// whenever the process is killed; one that is destroyed unfinished goes with all that is in it.
class UnfinishedDataDirectory {
 public:
  // kFailedPrecondition: there is something at `path`.
  static Result<UnfinishedDataDirectory> create(const std::filesystem::path& path);
  UnfinishedDataDirectory(UnfinishedDataDirectory&& other) noexcept;
  UnfinishedDataDirectory& operator=(UnfinishedDataDirectory&&) = delete;
  ~UnfinishedDataDirectory();

  const std::filesystem::path& path() const { return path_; }
  // What is in it is durable already. Atomic: from here on it is a data directory.
  Status finish();

 private:
  explicit UnfinishedDataDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;  // empty: moved away, or finished
};

// For `holdfast doctor`: what open() would say, without changing or locking anything.
struct DataDirectoryState {
  enum class Kind { kAbsent, kUsable, kInUse, kNewer, kForeign, kUnwritable };
  Kind kind = Kind::kAbsent;
  std::string detail;
};
DataDirectoryState inspect_data_directory(const std::filesystem::path& path);

}  // namespace holdfast::app
