// What Python and its library may ask of the kernel. Code of users can make any system call (ctypes), so each
// one that is here is one that may be made with any arguments that are not checked.

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <asm/termbits.h>

#include <cerrno>
#include <utility>

#include "jail/filter_builder.h"
#include "jail/seccomp.h"

namespace holdfast::sandbox {

namespace {

void allow_memory(FilterBuilder& filter) {
  filter.allow({SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise)});
  filter.allow_without(SCMP_SYS(mmap), 2, PROT_EXEC);
  // Modules in C: what is executed lies in a file and is not written. No file that can be written can be
  // executed: the root is read-only, /tmp has noexec, and there is no memfd_create.
  filter.allow_where(SCMP_SYS(mmap), {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC},
                                      {3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0}});
  filter.allow_without(SCMP_SYS(mprotect), 2, PROT_EXEC);
}

// Which of them, Landlock and the read-only root say. Not here is what Landlock does not see: chmod, utime,
// truncate by name, links.
void allow_files(FilterBuilder& filter) {
  filter.allow({SCMP_SYS(read),       SCMP_SYS(readv),      SCMP_SYS(pread64),    SCMP_SYS(write),
                SCMP_SYS(writev),     SCMP_SYS(pwrite64),   SCMP_SYS(lseek),      SCMP_SYS(close),
                SCMP_SYS(openat),     SCMP_SYS(faccessat),  SCMP_SYS(faccessat2), SCMP_SYS(newfstatat),
                SCMP_SYS(fstat),      SCMP_SYS(statx),      SCMP_SYS(statfs),     SCMP_SYS(fstatfs),
                SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd),     SCMP_SYS(dup),
                SCMP_SYS(dup3),       SCMP_SYS(pipe2),      SCMP_SYS(unlinkat),   SCMP_SYS(renameat),
                SCMP_SYS(renameat2),  SCMP_SYS(mkdirat),    SCMP_SYS(ftruncate),  SCMP_SYS(fsync),
                SCMP_SYS(fdatasync),  SCMP_SYS(flock)});
  // Only older machines have these.
  filter.allow({SCMP_SYS(open), SCMP_SYS(access), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(readlink),
                SCMP_SYS(dup2), SCMP_SYS(pipe), SCMP_SYS(unlink), SCMP_SYS(rename), SCMP_SYS(mkdir),
                SCMP_SYS(rmdir)});
  // Without F_SETOWN and F_SETSIG, which send signals to others.
  filter.allow_only(
      SCMP_SYS(fcntl), 1,
      {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW});
  filter.allow_only(SCMP_SYS(ioctl), 1, {TCGETS, FIOCLEX, FIONCLEX, FIONBIO, FIONREAD});
}

void allow_self(FilterBuilder& filter) {
  filter.allow({SCMP_SYS(futex),
                SCMP_SYS(set_robust_list),
                SCMP_SYS(rseq),
                SCMP_SYS(setitimer),
                SCMP_SYS(getitimer),
                SCMP_SYS(clock_gettime),
                SCMP_SYS(clock_getres),
                SCMP_SYS(gettimeofday),
                SCMP_SYS(time),
                SCMP_SYS(times),
                SCMP_SYS(nanosleep),
                SCMP_SYS(clock_nanosleep),
                SCMP_SYS(rt_sigreturn),
                SCMP_SYS(rt_sigaction),
                SCMP_SYS(rt_sigprocmask),
                SCMP_SYS(sigaltstack),
                SCMP_SYS(restart_syscall),
                SCMP_SYS(exit),
                SCMP_SYS(exit_group),
                SCMP_SYS(getpid),
                SCMP_SYS(getppid),
                SCMP_SYS(gettid),
                SCMP_SYS(getuid),
                SCMP_SYS(geteuid),
                SCMP_SYS(getgid),
                SCMP_SYS(getegid),
                SCMP_SYS(uname),
                SCMP_SYS(getrusage),
                SCMP_SYS(getrlimit),
                SCMP_SYS(sched_yield),
                SCMP_SYS(sched_getaffinity),
                SCMP_SYS(getrandom)});
  // Its own limits, which it only lowers: the hard ones are set.
  filter.allow_only(SCMP_SYS(prlimit64), 0, {0});
}

// asyncio waits with these, on a pair of sockets of its own.
void allow_waiting(FilterBuilder& filter) {
  filter.allow({SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
                SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
                SCMP_SYS(recvfrom), SCMP_SYS(shutdown)});
  filter.allow_only(SCMP_SYS(socketpair), 0, {AF_UNIX});
  filter.allow_only(SCMP_SYS(sendto), 4, {0});  // no address: to its other end
}

void allow_work(FilterBuilder& filter) {
  allow_memory(filter);
  allow_files(filter);
  allow_self(filter);
  allow_waiting(filter);
  // For these the C library knows another way when the kernel does not have them.
  filter.refuse({SCMP_SYS(clone3), SCMP_SYS(openat2), SCMP_SYS(close_range)}, ENOSYS);
}

}  // namespace

std::optional<Filter> Filter::of_first_python() {
  FilterBuilder filter(SCMP_ACT_ERRNO(EPERM));
  allow_work(filter);
  filter.allow({SCMP_SYS(execve), SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address), SCMP_SYS(clone),
                SCMP_SYS(wait4), SCMP_SYS(kill), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(prctl),
                SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(seccomp), SCMP_SYS(setrlimit),
                SCMP_SYS(unshare), SCMP_SYS(mount), SCMP_SYS(capset), SCMP_SYS(landlock_restrict_self)});
  auto program = filter.build();
  if (!program) return std::nullopt;
  return Filter(std::move(*program));
}

std::optional<Filter> Filter::of_python_worker() {
  FilterBuilder filter(SCMP_ACT_ERRNO(EPERM));
  allow_work(filter);
  auto program = filter.build();
  if (!program) return std::nullopt;
  return Filter(std::move(*program));
}

}  // namespace holdfast::sandbox
