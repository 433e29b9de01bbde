#include "jail/seccomp.h"

#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "jail/filter_builder.h"

namespace holdfast::sandbox {

namespace {

void allow_work(FilterBuilder& filter) {
  filter.allow({SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
                SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(setitimer), SCMP_SYS(clock_gettime),
                SCMP_SYS(gettimeofday), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
                SCMP_SYS(exit_group)});
  filter.allow_without(SCMP_SYS(mmap), 2, PROT_EXEC);
  filter.allow_without(SCMP_SYS(mprotect), 2, PROT_EXEC);
}

}  // namespace

std::optional<Filter> Filter::of_first_process() {
  FilterBuilder filter(SCMP_ACT_KILL_PROCESS);
  allow_work(filter);
  filter.allow({SCMP_SYS(clone), SCMP_SYS(wait4), SCMP_SYS(kill), SCMP_SYS(socketpair), SCMP_SYS(sendmsg),
                SCMP_SYS(recvmsg), SCMP_SYS(close), SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(prlimit64),
                SCMP_SYS(setrlimit), SCMP_SYS(getppid), SCMP_SYS(getpid), SCMP_SYS(gettid),
                SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask)});
  auto program = filter.build();
  if (!program) return std::nullopt;
  return Filter(std::move(*program));
}

std::optional<Filter> Filter::of_worker() {
  FilterBuilder filter(SCMP_ACT_KILL_PROCESS);
  allow_work(filter);
  auto program = filter.build();
  if (!program) return std::nullopt;
  return Filter(std::move(*program));
}

int Filter::enter() const {
  const sock_fprog program{static_cast<unsigned short>(program_.size()),
                           const_cast<sock_filter*>(program_.data())};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : errno;
}

}  // namespace holdfast::sandbox
