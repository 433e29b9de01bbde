#include "jail/giving_up.h"

#include <grp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace holdfast::sandbox {

namespace {

constexpr uid_t kNobody = 65534;

}  // namespace

std::string failed(const char* what, int error) {
  return std::string(what) + ": " + std::strerror(error);
}

bool limit(__rlimit_resource what, rlim_t most) {
  const rlimit value{most, most};
  return ::setrlimit(what, &value) == 0;
}

std::string become_nobody() {
  if (::geteuid() != 0) return {};
  if (::setgroups(0, nullptr) != 0) return failed("setgroups", errno);
  if (::setresgid(kNobody, kNobody, kNobody) != 0) return failed("setresgid", errno);
  if (::setresuid(kNobody, kNobody, kNobody) != 0) return failed("setresuid", errno);
  return {};
}

}  // namespace holdfast::sandbox
