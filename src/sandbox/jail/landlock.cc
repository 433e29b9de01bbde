#include "jail/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace holdfast::sandbox {

namespace {

// linux/landlock.h as of version 6.
struct RulesetAttributes {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;
  std::uint64_t scoped = 0;
};
constexpr unsigned kCreateRulesetVersion = 1;

constexpr std::uint64_t bits(int count) {
  return (std::uint64_t{1} << count) - 1;
}

// How many rights each version knows.
constexpr int file_rights(int version) {
  return version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
}
constexpr int net_rights(int version) {
  return version >= 4 ? 2 : 0;
}
constexpr int scopes(int version) {
  return version >= 6 ? 2 : 0;
}

// linux/landlock.h
constexpr std::uint64_t kExecute = 1U << 0;
constexpr std::uint64_t kReadFile = 1U << 2;
constexpr std::uint64_t kReadFolder = 1U << 3;
constexpr std::uint64_t kReading = kExecute | kReadFile | kReadFolder;
struct __attribute__((packed)) PathBeneath {
  std::uint64_t allowed_access = 0;
  std::int32_t parent = -1;
};
constexpr int kPathBeneath = 1;

// 0, or an error number. A path that is not there gives no right.
int allow_beneath(int ruleset, const std::string& path, std::uint64_t rights) {
  const int file = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (file < 0) return errno == ENOENT ? 0 : errno;
  struct stat about{};
  const bool is_folder = ::fstat(file, &about) == 0 && S_ISDIR(about.st_mode);
  // A file takes no right of folders.
  const PathBeneath rule{is_folder ? rights : rights & (kExecute | kReadFile), file};
  const long done = ::syscall(SYS_landlock_add_rule, ruleset, kPathBeneath, &rule, 0);
  const int error = done < 0 ? errno : 0;
  ::close(file);
  return error;
}

}  // namespace

int landlock_version() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kCreateRulesetVersion);
  return version < 0 ? 0 : static_cast<int>(version);
}

int landlock_ruleset(std::span<const std::string_view> readable, const std::string& writable) {
  const int version = landlock_version();
  if (version == 0) return -ENOSYS;
  const RulesetAttributes attributes{bits(file_rights(version)), bits(net_rights(version)),
                                     bits(scopes(version))};
  // An older kernel refuses more bytes than it knows, unless they are zero.
  const long made = ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  if (made < 0) return -errno;
  const int ruleset = static_cast<int>(made);
  int error = 0;
  for (const std::string_view path : readable) {
    if (error == 0) error = allow_beneath(ruleset, std::string(path), kReading);
  }
  if (error == 0 && !writable.empty())
    error = allow_beneath(ruleset, writable, bits(file_rights(version)) & ~kExecute);
  if (error == 0) return ruleset;
  ::close(ruleset);
  return -error;
}

int landlock_enter(int ruleset) {
  return ::syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? errno : 0;
}

int landlock_all() {
  const int ruleset = landlock_ruleset({}, {});
  if (ruleset < 0) return -ruleset;
  const int error = landlock_enter(ruleset);
  ::close(ruleset);
  return error;
}

}  // namespace holdfast::sandbox
