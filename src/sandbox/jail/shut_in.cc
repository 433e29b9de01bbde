#include "jail/shut_in.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "jail/giving_up.h"
#include "jail/landlock.h"

namespace holdfast::sandbox {

namespace {

bool close_all_but(int file) {
  const auto close_range = [](unsigned first, unsigned last) {
    return first > last || ::syscall(SYS_close_range, first, last, 0) == 0;
  };
  const auto kept = static_cast<unsigned>(file);
  return (kept == 0 || close_range(0, kept - 1)) && close_range(kept + 1, ~0U);
}

}  // namespace

std::string shut_in(Level level, int control, const Filter& filter) {
  ::umask(0777);
  if (!close_all_but(control)) return failed("close_range", errno);
  if (::chdir("/") != 0) return failed("chdir", errno);
  if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_FSIZE, 0) || !limit(RLIMIT_MEMLOCK, 0) ||
      !limit(RLIMIT_MSGQUEUE, 0))
    return failed("setrlimit", errno);
  if (level == Level::kLandlock) {
    if (std::string why = become_nobody(); !why.empty()) return why;
  } else if (::getpid() != 1) {
    return "it is not alone in a namespace of processes";
  }
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return failed("PR_SET_DUMPABLE", errno);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("PR_SET_NO_NEW_PRIVS", errno);
  // Behind namespaces it is one wall more, where the kernel has it.
  const int error = landlock_all();
  if (error != 0 && level == Level::kLandlock) return failed("the kernel's Landlock", error);
  if (const int seccomp = filter.enter(); seccomp != 0) return failed("seccomp", seccomp);
  return {};
}

std::string shut_in_worker(pid_t parent, const Filter& filter) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return failed("PR_SET_PDEATHSIG", errno);
  if (::getppid() != parent) return "the first process has ended";
  if (!limit(RLIMIT_AS, kMostAddressSpace) || !limit(RLIMIT_NPROC, 0) || !limit(RLIMIT_NOFILE, 0))
    return failed("setrlimit", errno);
  if (const int error = filter.enter(); error != 0) return failed("seccomp", error);
  return {};
}

}  // namespace holdfast::sandbox
