#include "jail/monty_jail.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "jail/first_process.h"
#include "jail/giving_up.h"
#include "jail/landlock.h"

namespace holdfast::sandbox {

namespace {

// The program itself, two stacks, and values up to the most that code may have.
constexpr rlim_t kMostMontyAddressSpace = 1UL << 30;
constexpr rlim_t kMostMontyFiles = 16;  // the libraries, one after the other
// Of all in a cell that has users of its own: each worker has two threads.
constexpr rlim_t kMostMontyThreads = 3 * kMostWorkers;

std::string landlock_in(const MontyStart& start) {
  const int ruleset = landlock_ruleset(start.readable, {});
  // Behind namespaces it is one wall more, where the kernel has it.
  if (ruleset < 0) return start.level == Level::kNamespaces ? "" : failed("the kernel's Landlock", -ruleset);
  const int error = landlock_enter(ruleset);
  ::close(ruleset);
  return error == 0 ? "" : failed("the kernel's Landlock", error);
}

std::string give_up(const MontyStart& start, int control, const Filter& filter) {
  ::umask(0777);
  const auto first_other = static_cast<unsigned>(control) + 1;
  if (first_other > kMontyNull || ::syscall(SYS_close_range, first_other, kMontyNull - 1U, 0) != 0 ||
      ::syscall(SYS_close_range, kMontyNull + 1U, ~0U, 0) != 0)
    return failed("close_range", errno);
  if (::chdir("/") != 0) return failed("chdir", errno);
  if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_FSIZE, 0) || !limit(RLIMIT_MEMLOCK, 0) ||
      !limit(RLIMIT_MSGQUEUE, 0))
    return failed("setrlimit", errno);
  if (start.level == Level::kLandlock) {
    if (std::string why = become_nobody(); !why.empty()) return why;
  } else if (::getpid() != 1) {
    return "it is not alone in a namespace of processes";
  } else if (!limit(RLIMIT_NPROC, kMostMontyThreads)) {
    return failed("setrlimit", errno);
  }
  if (::access(start.program.c_str(), X_OK) != 0) return failed(start.program.c_str(), errno);
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return failed("PR_SET_DUMPABLE", errno);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("PR_SET_NO_NEW_PRIVS", errno);
  if (std::string why = landlock_in(start); !why.empty()) return why;
  if (const int error = filter.enter(); error != 0) return failed("seccomp", error);
  return {};
}

std::string give_up_the_rest(pid_t parent, const Filter& filter) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return failed("PR_SET_PDEATHSIG", errno);
  if (::getppid() != parent) return "the first process has ended";
  if (!limit(RLIMIT_AS, kMostMontyAddressSpace) || !limit(RLIMIT_NOFILE, kMostMontyFiles))
    return failed("setrlimit", errno);
  if (const int error = filter.enter(); error != 0) return failed("seccomp", error);
  return {};
}

void become(const std::string& program, int socket) {
  if (::dup2(socket, STDIN_FILENO) < 0 || ::dup2(socket, STDOUT_FILENO) < 0 ||
      ::dup2(kMontyNull, STDERR_FILENO) < 0)
    return;
  // Whatever else is open here, the sockets of others among it, is not open there.
  if (::syscall(SYS_close_range, STDERR_FILENO + 1U, ~0U, 0) != 0) return;
  std::string name = "monty";
  std::string mode = "subprocess";
  char* arguments[] = {name.data(), mode.data(), nullptr};
  char* environment[] = {nullptr};
  ::execve(program.c_str(), arguments, environment);
}

}  // namespace

int first_monty(const MontyStart& start, int control) {
  const auto first = Filter::of_first_monty();
  const auto worker = Filter::of_monty_worker();
  return first_process(
      control, {[&] { return first && worker ? give_up(start, control, *first) : std::string(kNoFilter); },
                [&](pid_t parent) { return give_up_the_rest(parent, *worker); },
                [&](int socket) { become(start.program, socket); }});
}

}  // namespace holdfast::sandbox
