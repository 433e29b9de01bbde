// What Monty asks of the kernel. Its code makes no system call, so one that is not here is a sign that the
// interpreter was taken over, and ends the process. A worker puts its filter on before it becomes Monty, so
// the list has what a program needs to be loaded; becoming another program again changes none of its walls.

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <utility>

#include "jail/filter_builder.h"
#include "jail/seccomp.h"

namespace holdfast::sandbox {

namespace {

void allow_work(FilterBuilder& filter) {
  filter.allow({SCMP_SYS(read),
                SCMP_SYS(readv),
                SCMP_SYS(write),
                SCMP_SYS(writev),
                SCMP_SYS(close),
                SCMP_SYS(poll),
                SCMP_SYS(ppoll),
                SCMP_SYS(brk),
                SCMP_SYS(munmap),
                SCMP_SYS(mremap),
                SCMP_SYS(madvise),
                SCMP_SYS(futex),
                SCMP_SYS(rt_sigaction),
                SCMP_SYS(rt_sigprocmask),
                SCMP_SYS(rt_sigreturn),
                SCMP_SYS(sigaltstack),
                SCMP_SYS(clock_gettime),
                SCMP_SYS(gettimeofday),
                SCMP_SYS(getrandom),
                SCMP_SYS(sched_yield),
                SCMP_SYS(sched_getaffinity),
                SCMP_SYS(gettid),
                SCMP_SYS(getpid),
                SCMP_SYS(restart_syscall),
                SCMP_SYS(exit),
                SCMP_SYS(exit_group)});
  filter.allow_without(SCMP_SYS(mmap), 2, PROT_EXEC);
  // Libraries: what is executed lies in a file and is not written; no file here can be written.
  filter.allow_where(SCMP_SYS(mmap), {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC},
                                      {3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0}});
  filter.allow_without(SCMP_SYS(mprotect), 2, PROT_EXEC);
}

void allow_loading(FilterBuilder& filter) {
  filter.allow({SCMP_SYS(execve), SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(fstat), SCMP_SYS(pread64),
                SCMP_SYS(access), SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address), SCMP_SYS(set_robust_list),
                SCMP_SYS(rseq)});
  // For these the C library knows another way, or does without.
  filter.refuse({SCMP_SYS(clone3), SCMP_SYS(statx), SCMP_SYS(faccessat2), SCMP_SYS(openat2)}, ENOSYS);
  filter.refuse({SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd)}, EACCES);
  filter.refuse({SCMP_SYS(ioctl)}, ENOTTY);
}

}  // namespace

std::optional<Filter> Filter::of_first_monty() {
  FilterBuilder filter(SCMP_ACT_KILL_PROCESS);
  allow_work(filter);
  allow_loading(filter);
  filter.allow({SCMP_SYS(prctl), SCMP_SYS(prlimit64), SCMP_SYS(setrlimit), SCMP_SYS(clone), SCMP_SYS(wait4),
                SCMP_SYS(kill), SCMP_SYS(socketpair), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(seccomp),
                SCMP_SYS(getppid), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(close_range)});
  auto program = filter.build();
  if (!program) return std::nullopt;
  return Filter(std::move(*program));
}

std::optional<Filter> Filter::of_monty_worker() {
  FilterBuilder filter(SCMP_ACT_KILL_PROCESS);
  allow_work(filter);
  allow_loading(filter);
  // Before it becomes Monty.
  filter.allow({SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(close_range)});
  filter.allow_only(SCMP_SYS(prctl), 0, {PR_SET_NAME});
  filter.allow_only(SCMP_SYS(prlimit64), 0, {0});
  // Its one thread; no process.
  constexpr scmp_datum_t kThread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
  filter.allow_where(SCMP_SYS(clone), {{0, SCMP_CMP_MASKED_EQ, kThread, kThread}});
  auto program = filter.build();
  if (!program) return std::nullopt;
  return Filter(std::move(*program));
}

}  // namespace holdfast::sandbox
