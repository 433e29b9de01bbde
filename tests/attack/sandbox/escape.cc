// Native code in the place of the program in the sandbox: what somebody could do who has taken it over. The
// code of a request is the name of an attempt. An attempt that gets through says "through"; one that is
// refused says "refused"; most end with the process. "?" lists them all.

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <map>
#include <string>

#include "jail/first_process.h"
#include "wire/frame.h"

namespace holdfast::sandbox {

namespace {

using Attempt = std::function<bool(int socket)>;  // whether it got through

// Any system call that is not an error got through.
template <typename... Arguments>
Attempt call(long number, Arguments... arguments) {
  return [=](int) { return ::syscall(number, arguments...) >= 0; };
}

Attempt opens(const char* path, int flags = O_RDONLY) {
  return [=](int) { return ::syscall(SYS_openat, AT_FDCWD, path, flags, 0600) >= 0; };
}

bool fork_bomb(int) {
  bool any = false;
  for (int i = 0; i < 100; ++i) any = ::fork() >= 0 || any;
  return any;
}

// A page is touched in each, so that it is really there.
bool takes(std::size_t bytes) {
  constexpr std::size_t kPiece = 16U << 20;
  for (std::size_t taken = 0; taken < bytes; taken += kPiece) {
    void* got = ::mmap(nullptr, kPiece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return false;
    std::memset(got, 1, kPiece);
  }
  return true;
}

bool other_file_is_open(int socket) {
  for (int file = 0; file < 1024; ++file) {
    if (file != socket && ::syscall(SYS_write, file, "x", 1) >= 0) return true;
  }
  return false;
}

// It has put its timer away, and says nothing any more.
bool spins_for_ever(int) {
  const itimerval none{};
  ::setitimer(ITIMER_PROF, &none, nullptr);
  for (volatile int i = 0;; i = i + 1) continue;
}

bool waits_for_ever(int) {
  int word = 0;
  ::syscall(SYS_futex, &word, FUTEX_WAIT, 0, nullptr, nullptr, 0);
  return true;
}

void say(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(socket, bytes.data(), bytes.size());
    if (put <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

bool says_100_mb(int socket) {
  const std::string piece(1U << 20, 'x');
  for (int i = 0; i < 100; ++i) say(socket, piece);
  return false;
}

// The most that a length can say, then nothing.
bool says_4_gb_come(int socket) {
  say(socket, "\xff\xff\xff\xff");
  return waits_for_ever(socket);
}

bool says_what_is_no_json(int socket) {
  Reply reply;
  reply.result = "{\"a\":";
  write_frame(socket, encode(reply));
  return false;
}

bool says_deep_json(int socket) {
  Reply reply;
  reply.result = std::string(100'000, '[') + std::string(100'000, ']');
  write_frame(socket, encode(reply));
  return false;
}

bool says_it_died(int socket) {
  std::string bytes = encode(Reply{});
  bytes[0] = static_cast<char>(Fault::kDied);
  write_frame(socket, bytes);
  return false;
}

std::map<std::string, Attempt> processes() {
  return {{"fork bomb", fork_bomb},
          {"vfork", call(SYS_vfork)},
          {"thread",
           [](int) { return ::syscall(SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, nullptr) >= 0; }},
          {"clone3", call(SYS_clone3, nullptr, 0)},
          {"run a program", [](int) { return ::execl("/bin/sh", "sh", nullptr) == 0; }},
          {"run itself", [](int) { return ::execl("/holdfast-sandbox", "x", nullptr) == 0; }},
          {"ptrace its parent", call(SYS_ptrace, PTRACE_ATTACH, 1, 0, 0)},
          {"be traced", call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0)},
          {"read its parent's memory",
           [](int) {
             char byte = 0;
             iovec here{&byte, 1};
             iovec there{reinterpret_cast<void*>(0x10000), 1};
             return ::syscall(SYS_process_vm_readv, 1, &here, 1, &there, 1, 0) >= 0;
           }},
          {"kill everything", call(SYS_kill, -1, SIGKILL)},
          {"kill its parent", call(SYS_kill, 1, SIGKILL)},
          {"signal a thread", call(SYS_tgkill, 1, 1, SIGKILL)},
          {"pidfd of its parent", call(SYS_pidfd_open, 1, 0)},
          {"more limits for itself", call(SYS_prlimit64, 0, RLIMIT_AS, nullptr, nullptr)},
          {"priority", call(SYS_setpriority, PRIO_PROCESS, 0, 0)},
          {"another processor", call(SYS_sched_setaffinity, 0, 0, nullptr)}};
}

std::map<std::string, Attempt> files() {
  return {
      {"open /etc/passwd", opens("/etc/passwd")},
      {"open /etc/shadow", opens("/etc/shadow")},
      {"open the root", opens("/", O_RDONLY | O_DIRECTORY)},
      {"open ..", opens("../../../../../../etc/passwd")},
      {"open /proc/self/environ", opens("/proc/self/environ")},
      {"open /proc/1/mem", opens("/proc/1/mem", O_RDWR)},
      {"open /dev/mem", opens("/dev/mem")},
      {"open the program", opens("/holdfast-sandbox")},
      {"make a file", opens("/tmp/holdfast-escape", O_RDWR | O_CREAT)},
      {"make a file without a name", opens("/tmp", O_RDWR | O_TMPFILE)},
      {"open(2)", call(SYS_open, "/etc/passwd", O_RDONLY, 0)},
      {"openat2", call(SYS_openat2, AT_FDCWD, "/etc/passwd", nullptr, 0)},
      {"symlink", call(SYS_symlink, "/etc/passwd", "/tmp/holdfast-escape")},
      {"hard link", call(SYS_link, "/etc/passwd", "/tmp/holdfast-escape")},
      {"follow a symlink", opens("/proc/self/cwd/etc/passwd")},
      {"read a symlink", call(SYS_readlink, "/proc/self/exe", nullptr, 0)},
      {"stat", call(SYS_newfstatat, AT_FDCWD, "/etc/passwd", nullptr, 0)},
      {"access", call(SYS_access, "/etc/passwd", R_OK)},
      {"mkdir", call(SYS_mkdir, "/tmp/holdfast-escape", 0700)},
      {"unlink", call(SYS_unlink, "/tmp/holdfast-escape")},
      {"rename", call(SYS_rename, "/tmp/a", "/tmp/b")},
      {"chmod", call(SYS_chmod, "/tmp", 0777)},
      {"truncate", call(SYS_truncate, "/tmp/a", 0)},
      {"mknod", call(SYS_mknod, "/tmp/holdfast-escape", S_IFIFO | 0600, 0)},
      {"list a folder", call(SYS_getdents64, 0, nullptr, 0)},
      {"change folder", call(SYS_chdir, "/")},
      {"file in memory", call(SYS_memfd_create, "x", 0)},
      {"another file is open", other_file_is_open},
      {"dup", [](int socket) { return ::syscall(SYS_dup, socket) >= 0; }},
      {"ioctl on its socket", [](int socket) { return ::syscall(SYS_ioctl, socket, 0x541B, nullptr) >= 0; }},
      {"file handle", call(SYS_open_by_handle_at, 0, nullptr, 0)},
      {"inotify", call(SYS_inotify_init1, 0)},
      {"fanotify", call(SYS_fanotify_init, 0, 0)}};
}

std::map<std::string, Attempt> sockets() {
  std::map<std::string, Attempt> all;
  for (int family = 0; family <= 45; ++family) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW}) {
      all["socket family " + std::to_string(family) + " type " + std::to_string(type)] =
          call(SYS_socket, family, type, 0);
    }
  }
  all["socket pair"] = call(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, nullptr);
  all["bind"] = call(SYS_bind, 0, nullptr, 0);
  all["connect"] = call(SYS_connect, 0, nullptr, 0);
  all["accept"] = [](int socket) { return ::syscall(SYS_accept, socket, nullptr, nullptr) >= 0; };
  all["send a file"] = [](int socket) {
    msghdr message{};
    return ::syscall(SYS_sendmsg, socket, &message, 0) >= 0;
  };
  all["receive a file"] = [](int socket) {
    msghdr message{};
    return ::syscall(SYS_recvmsg, socket, &message, MSG_DONTWAIT) >= 0;
  };
  return all;
}

std::map<std::string, Attempt> memory() {
  const auto maps = [](int protection) {
    return [=](int) {
      return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
    };
  };
  return {{"memory that is executed", maps(PROT_READ | PROT_EXEC)},
          {"memory that is written and executed", maps(PROT_READ | PROT_WRITE | PROT_EXEC)},
          {"make memory executable",
           [](int) {
             void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
             return ::mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
           }},
          {"pkey_mprotect", call(SYS_pkey_mprotect, nullptr, 0, PROT_EXEC, -1)},
          {"10 GB at once",
           [](int) {
             return ::mmap(nullptr, 10UL << 30, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED;
           }},
          {"10 GB in pieces", [](int) { return takes(10UL << 30); }},
          {"lock memory", call(SYS_mlockall, 1)}};
}

std::map<std::string, Attempt> kernel() {
  return {{"shared memory", call(SYS_shmget, 0, 4096, 01600)},
          {"messages", call(SYS_msgget, 0, 01600)},
          {"semaphores", call(SYS_semget, 0, 1, 01600)},
          {"message queue", call(SYS_mq_open, "x", O_CREAT, 0600, nullptr)},
          {"new namespaces", call(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS)},
          {"enter namespaces", call(SYS_setns, 0, 0)},
          {"mount", call(SYS_mount, "none", "/", "tmpfs", 0, nullptr)},
          {"chroot", call(SYS_chroot, "/")},
          {"pivot_root", call(SYS_pivot_root, "/", "/")},
          {"become root", call(SYS_setuid, 0)},
          {"capabilities", call(SYS_capset, nullptr, nullptr)},
          {"prctl", call(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0)},
          {"another filter", call(SYS_seccomp, 0, 0, nullptr)},
          {"personality", call(SYS_personality, 0)},
          {"bpf", call(SYS_bpf, 0, nullptr, 0)},
          {"perf events", call(SYS_perf_event_open, nullptr, 0, -1, -1, 0)},
          {"userfaultfd", call(SYS_userfaultfd, 0)},
          {"io_uring", call(SYS_io_uring_setup, 1, nullptr)},
          {"aio", call(SYS_io_setup, 1, nullptr)},
          {"keys", call(SYS_keyctl, 0, -3, 0)},
          {"add a key", call(SYS_add_key, "user", "x", "y", 1, -3)},
          {"load a module", call(SYS_init_module, nullptr, 0, "")},
          {"reboot", call(SYS_reboot, 0, 0, 0, nullptr)},
          {"set the clock", call(SYS_clock_settime, 0, nullptr)},
          {"host name", call(SYS_sethostname, "x", 1)},
          {"kernel log", call(SYS_syslog, 3, nullptr, 0)},
          {"what machine it is", call(SYS_uname, nullptr)},
          {"who it is", call(SYS_getuid)},
          {"its number", call(SYS_getpid)},
          {"event file", call(SYS_eventfd2, 0, 0)},
          {"epoll", call(SYS_epoll_create1, 0)},
          {"timer", call(SYS_timerfd_create, 0, 0)},
#ifdef __x86_64__
          // The same numbers mean other calls there.
          {"calls of 32 bits",
           [](int) {
             long result = 20;  // getpid
             asm volatile("int $0x80" : "+a"(result)::"memory");
             return result >= 0;
           }},
          {"calls of x32", call(0x40000000L + SYS_getpid)}
#endif
  };
}

std::map<std::string, Attempt> answers() {
  return {{"spin for ever", spins_for_ever},
          {"wait for ever", waits_for_ever},
          {"say 100 MB", says_100_mb},
          {"say that 4 GB come", says_4_gb_come},
          {"say what is no JSON", says_what_is_no_json},
          {"say deep JSON", says_deep_json},
          {"say that it died", says_it_died}};
}

std::map<std::string, Attempt> attempts() {
  std::map<std::string, Attempt> all = processes();
  all.merge(files());
  all.merge(sockets());
  all.merge(memory());
  all.merge(kernel());
  all.merge(answers());
  return all;
}

void serve(int socket) {
  const auto all = attempts();
  std::string bytes;
  while (read_frame(socket, bytes)) {
    const auto request = decode_request(bytes);
    if (!request) return;
    Reply reply;
    if (request->code == "?") {
      for (const auto& [name, attempt] : all) reply.log += name + "\n";
      reply.result = "null";
    } else {
      const auto found = all.find(request->code);
      const bool through = found == all.end() || found->second(socket);
      reply.result = through ? "\"through\"" : "\"refused\"";
    }
    if (!write_frame(socket, encode(reply))) return;
  }
}

}  // namespace

}  // namespace holdfast::sandbox

int main(int argc, char** argv) {
  using namespace holdfast::sandbox;
  const bool namespaces = argc == 2 && std::string_view(argv[1]) == "1";
  return first_process(namespaces ? Level::kNamespaces : Level::kLandlock, STDIN_FILENO, serve);
}
