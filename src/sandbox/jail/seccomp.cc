#include "jail/seccomp.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <utility>

namespace holdfast::sandbox {

namespace {

// One of libseccomp's, under construction.
class Builder {
 public:
  Builder() : context_(seccomp_init(SCMP_ACT_KILL_PROCESS)) {}
  ~Builder() {
    if (context_ != nullptr) seccomp_release(context_);
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  void allow(std::initializer_list<int> calls) {
    for (const int call : calls) fine_ = fine_ && seccomp_rule_add(context_, SCMP_ACT_ALLOW, call, 0) == 0;
  }
  // Where an argument, a set of flags, has none of `flags`.
  void allow_without(int call, unsigned argument, scmp_datum_t flags) {
    const scmp_arg_cmp none{argument, SCMP_CMP_MASKED_EQ, flags, 0};
    fine_ = fine_ && seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, call, 1, &none) == 0;
  }

  std::optional<std::vector<sock_filter>> build() {
    int ends[2];
    if (context_ == nullptr || !fine_ || ::pipe(ends) != 0) return std::nullopt;
    // A filter is smaller than a pipe holds.
    const bool written = seccomp_export_bpf(context_, ends[1]) == 0;
    ::close(ends[1]);
    std::vector<sock_filter> program(BPF_MAXINSNS);
    ssize_t bytes = 0;
    for (ssize_t got = 1; written && got > 0; bytes += got) {
      got = ::read(ends[0], reinterpret_cast<char*>(program.data()) + bytes,
                   program.size() * sizeof(sock_filter) - static_cast<std::size_t>(bytes));
      if (got < 0) got = 0;
    }
    ::close(ends[0]);
    program.resize(static_cast<std::size_t>(bytes) / sizeof(sock_filter));
    if (program.empty()) return std::nullopt;
    return program;
  }

 private:
  scmp_filter_ctx context_;
  bool fine_ = true;
};

void allow_work(Builder& filter) {
  filter.allow({SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
                SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(setitimer), SCMP_SYS(clock_gettime),
                SCMP_SYS(gettimeofday), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
                SCMP_SYS(exit_group)});
  filter.allow_without(SCMP_SYS(mmap), 2, PROT_EXEC);
  filter.allow_without(SCMP_SYS(mprotect), 2, PROT_EXEC);
}

}  // namespace

std::optional<Filter> Filter::of_first_process() {
  Builder filter;
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
  Builder filter;
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
