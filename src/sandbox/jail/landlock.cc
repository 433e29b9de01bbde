#include "jail/landlock.h"

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

}  // namespace

int landlock_version() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kCreateRulesetVersion);
  return version < 0 ? 0 : static_cast<int>(version);
}

int landlock_all() {
  const int version = landlock_version();
  if (version == 0) return ENOSYS;
  const RulesetAttributes attributes{bits(file_rights(version)), bits(net_rights(version)),
                                     bits(scopes(version))};
  // An older kernel refuses more bytes than it knows, unless they are zero.
  const long ruleset = ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  if (ruleset < 0) return errno;
  const long done = ::syscall(SYS_landlock_restrict_self, ruleset, 0);
  const int error = done < 0 ? errno : 0;
  ::close(static_cast<int>(ruleset));
  return error;
}

}  // namespace holdfast::sandbox
