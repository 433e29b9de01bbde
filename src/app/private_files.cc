#include "app/private_files.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace holdfast::app {

namespace fs = std::filesystem;

namespace {

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

// Calls `look(path, stat)` for `folder` and everything below, until it fails. What goes meanwhile is gone.
template <typename Look>
Status each_entry(const fs::path& folder, Look look) {
  const auto one = [&](const fs::path& path) -> Status {
    struct stat found{};
    if (::lstat(path.c_str(), &found) == 0) return S_ISLNK(found.st_mode) ? Status() : look(path, found);
    if (errno == ENOENT) return {};
    return {Code::kPermissionDenied,
            fmt::format("cannot look at {}: {}", path.string(), std::strerror(errno))};
  };
  // The folder itself may be reached through a link: what counts is where it leads.
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  if (error) return {Code::kUnavailable, fmt::format("cannot open {}: {}", folder.string(), error.message())};
  if (Status status = one(real); !status.ok()) return status;
  auto entry = fs::recursive_directory_iterator(real, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (Status status = one(entry->path()); !status.ok()) return status;
  }
  if (!error || error == std::errc::no_such_file_or_directory) return {};
  return {error == std::errc::permission_denied ? Code::kPermissionDenied : Code::kUnavailable,
          fmt::format("cannot look into {}: {}", real.string(), error.message())};
}

}  // namespace

Status check_owner(const fs::path& folder) {
  const uid_t me = ::geteuid();
  return each_entry(folder, [&](const fs::path& path, const struct stat& found) -> Status {
    if (found.st_uid == me) return {};
    return {Code::kPermissionDenied,
            fmt::format("{} belongs to another user (uid {}, this server runs as {}), who could read and "
                        "replace what is in it; give it to this one (chown -R {} {}), or run as its owner. "
                        "Nothing was changed",
                        path.string(), found.st_uid, me, me, folder.string())};
  });
}

Status make_private(const fs::path& folder) {
  return each_entry(folder, [](const fs::path& path, const struct stat& found) -> Status {
    if ((found.st_mode & kOthers) == 0) return {};
    if (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode) && !S_ISSOCK(found.st_mode)) return {};
    if (::chmod(path.c_str(), found.st_mode & 07777 & ~kOthers) == 0 || errno == ENOENT) return {};
    return {Code::kPermissionDenied,
            fmt::format("cannot keep {} from other users: {}", path.string(), std::strerror(errno))};
  });
}

}  // namespace holdfast::app
