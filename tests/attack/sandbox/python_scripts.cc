// Python against its walls. Code in Python makes any system call that it likes (ctypes), so it needs nobody
// in the place of the interpreter. What is refused is an error that the code gets.

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "scripts.h"

namespace holdfast::sandbox {

namespace {

constexpr const char* kRefused = R"("refused")";

// What each attempt may use. `refused(f)`: f raised an error of the system, as it should.
constexpr std::string_view kTools = R"(
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    return "through" if libc.syscall(number, *arguments) >= 0 else "refused"
def refused(attempt):
    try:
        attempt()
    except (OSError, RuntimeError, ValueError):
        return "refused"
    return "through"
)";

Script python(std::string name, const std::string& code, std::vector<std::string> ends,
              std::string inputs = "{}") {
  Request request;
  request.kind = Kind::kPython;
  request.limits = kPythonLimits;
  request.code = std::string(kTools) + code;
  request.inputs = std::move(inputs);
  return {"Python: " + std::move(name), std::move(request), std::move(ends)};
}

Script call(const std::string& name, long number, const std::string& arguments = "") {
  return python("system call: " + name,
                fmt::format("return call({}{}{})", number, arguments.empty() ? "" : ", ", arguments),
                {kRefused});
}

Script attempt(const std::string& name, const std::string& expression) {
  return python(name, "return refused(lambda: " + expression + ")", {kRefused});
}

std::vector<Script> processes() {
  return {
      python("fork bomb", "return sorted({refused(os.fork) for _ in range(100)})", {R"(["refused"])"}),
      call("vfork", SYS_vfork),
      call("clone", SYS_clone, fmt::format("{}, 0, 0, 0, 0", SIGCHLD)),
      call("clone of a thread", SYS_clone,
           fmt::format("{}, 0, 0, 0, 0", CLONE_VM | CLONE_THREAD | CLONE_SIGHAND)),
      call("clone3", SYS_clone3, "0, 0"),
      attempt("thread", "__import__('threading').Thread(target=print).start()"),
      attempt("run a program", "os.execv('/bin/sh', ['sh'])"),
      attempt("run Python", "os.execv(sys.executable or '/usr/bin/python3', ['python3'])"),
      attempt("spawn", "os.posix_spawn('/bin/sh', ['sh'], {})"),
      attempt("subprocess", "__import__('subprocess').run(['/bin/sh'])"),
      call("ptrace its parent", SYS_ptrace, fmt::format("{}, os.getppid(), 0, 0", int{PTRACE_ATTACH})),
      call("be traced", SYS_ptrace, fmt::format("{}, 0, 0, 0", int{PTRACE_TRACEME})),
      call("read its parent's memory", SYS_process_vm_readv, "os.getppid(), bytes(16), 1, bytes(16), 1, 0"),
      attempt("kill everything", "os.kill(-1, 9)"),
      attempt("kill its parent", "os.kill(os.getppid(), 9)"),
      attempt("kill its neighbours", "[os.kill(n, 9) for n in range(2, 1000) if n != os.getpid()]"),
      call("signal a thread", SYS_tgkill, "os.getppid(), os.getppid(), 9"),
      call("signal with data", SYS_rt_sigqueueinfo, "os.getppid(), 9, bytes(128)"),
      call("pidfd of its parent", SYS_pidfd_open, "os.getppid(), 0"),
      // Who owns a pipe is sent a signal of any number.
      python("signal by a pipe's owner",
             fmt::format("a, b = os.pipe()\nreturn [call({0}, a, {1}, os.getppid()), call({0}, a, {2}, 9)]",
                         SYS_fcntl, F_SETOWN, F_SETSIG),
             {R"(["refused","refused"])"}),
      call("its parent's limits", SYS_prlimit64,
           fmt::format("os.getppid(), {}, bytes(16), 0", int{RLIMIT_NOFILE})),
      attempt("more memory for itself", "__import__('resource').setrlimit(9, (2 ** 40, 2 ** 40))"),
      call("priority", SYS_setpriority, "0, 0, -20"),
      call("another processor", SYS_sched_setaffinity, "0, 8, b'\\1' * 8"),
  };
}

std::vector<Script> files() {
  std::vector<Script> all;
  for (const char* path : {"/etc/passwd",
                           "/etc/shadow",
                           "/usr/lib/../../etc/passwd",
                           "../../../../etc/passwd",
                           "/tmp/../etc/passwd",
                           "/proc/self/environ",
                           "/proc/self/mem",
                           "/proc/self/maps",
                           "/proc/1/mem",
                           "/proc/self/root/etc/passwd",
                           "/proc/self/cwd/etc/passwd",
                           "/proc/self/fd/3",
                           "/dev/mem",
                           "/dev/null",
                           "/sys/kernel/uevent_helper",
                           "/root/.bashrc",
                           "/home",
                           "/var/lib",
                           "/usr/bin/env",
                           "/holdfast"}) {
    all.push_back(attempt(fmt::format("open {}", path), fmt::format("os.open('{}', os.O_RDONLY)", path)));
  }
  for (const char* path : {"/x", "/usr/lib/x", "/etc/x", "/dev/shm/x", "/var/tmp/x", "/run/x", "/root/x"})
    all.push_back(attempt(fmt::format("make {}", path), fmt::format("open('{}', 'w')", path)));
  const std::vector<Script> more = {
      attempt("list /proc", "os.listdir('/proc/self')"),
      attempt("change the library", "open(os.__file__, 'a')"),
      attempt("list of the root's home", "os.listdir('/root')"),
      python("symlink out",
             "try:\n  os.symlink('/etc/passwd', '/tmp/x')\nexcept OSError:\n  pass\n"
             "return refused(lambda: open('/tmp/x'))",
             {kRefused}),
      attempt("hard link out", "os.link('/etc/passwd', '/tmp/x')"),
      attempt("chmod", "os.chmod('/tmp', 0o777)"),
      attempt("chown", "os.chown('/tmp', 0, 0)"),
      attempt("times of a file", "os.utime('/usr/lib')"),
      attempt("truncate by name", "os.truncate('/etc/hostname', 0)"),
      attempt("extended attributes", "os.setxattr('/tmp', 'user.x', b'x')"),
      attempt("mknod", "os.mknod('/tmp/x', 0o600 | 0o060000, 0x0801)"),
      attempt("pipe with a name", "os.mkfifo('/tmp/x')"),
      attempt("chroot", "os.chroot('/tmp')"),
      attempt("remove the library", "os.unlink(os.__file__)"),
      attempt("rename the library", "os.rename(os.__file__, '/tmp/os.py')"),
      attempt("file in memory", "os.memfd_create('x')"),
      python("files that were open",
             "found = []\nfor n in range(4, 1024):\n  try:\n    os.fstat(n)\n"
             "    found.append(n)\n  except OSError:\n    pass\nreturn found",
             {"[]"}),
      python("what its standard files say", "return [os.read(0, 1000).decode(), os.write(1, b'x')]",
             {R"(["",1])"}),
      call("file handle", SYS_open_by_handle_at, "-1, bytes(64), 0"),
      call("inotify", SYS_inotify_init1, "0"),
      call("fanotify", SYS_fanotify_init, "0, 0"),
      call("openat2", SYS_openat2, "-100, b'/etc/passwd', bytes(24), 24"),
      python("environment", "return dict(os.environ)", {"{}"}),
  };
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// At level 2 there is no /tmp at all.
std::vector<Script> own_files() {
  return {
      python(
          "fill /tmp with one file",
          "def fill():\n  with open('/tmp/x', 'wb') as file:\n    for _ in range(100): file.write(bytes(1 << "
          "20))\nreturn refused(fill)",
          {kRefused}),
      python(
          "fill /tmp with many files",
          "def fill():\n  for n in range(100):\n    with open(f'/tmp/{n}', 'wb') as file: file.write(bytes(1 "
          "<< 20))\nreturn refused(fill)",
          {kRefused}),
      python("names without end in /tmp",
             "def fill():\n  for n in range(100_000): open(f'/tmp/{n}', 'x').close()\nreturn refused(fill)",
             {kRefused}),
      python("folders without end in /tmp",
             "def fill():\n  for n in range(100_000): os.mkdir(f'/tmp/{n}')\nreturn refused(fill)",
             {kRefused}),
      python("files without end",
             "files = []\ndef fill():\n  while True: files.extend(os.pipe())\nreturn refused(fill)",
             {kRefused}),
      python("what others left in /tmp", "try:\n  return os.listdir('/tmp')\nexcept OSError:\n  return []",
             {"[]"}),
  };
}

std::vector<Script> sockets() {
  return {
      python("sockets of every family",
             fmt::format(
                 "found = []\nfor family in range(46):\n  for type in (1, 2, 3):\n    if call({}, family, "
                 "type, 0) == 'through': found.append([family, type])\nreturn found",
                 SYS_socket),
             {"[]"}),
      python("pairs of sockets of other families",
             fmt::format("found = []\nfor family in range(2, 46):\n  if call({}, family, 1, 0, bytes(8)) == "
                         "'through': found.append(family)\nreturn found",
                         SYS_socketpair),
             {"[]"}),
      attempt("connect", "__import__('socket').create_connection(('127.0.0.1', 80))"),
      attempt("resolve", "__import__('socket').getaddrinfo('example.com', 80)"),
      attempt("fetch", "__import__('urllib.request').request.urlopen('http://127.0.0.1')"),
      call("bind", SYS_bind, "3, bytes(16), 16"),
      call("connect by number", SYS_connect, "3, bytes(16), 16"),
      call("accept", SYS_accept, "3, 0, 0"),
      call("send a file", SYS_sendmsg, "3, bytes(56), 0"),
      call("receive a file", SYS_recvmsg, "3, bytes(56), 0x40"),
      call("send to an address", SYS_sendto, "3, b'x', 1, 0, bytes(16), 16"),
      call("io_uring", SYS_io_uring_setup, "1, bytes(120)"),
      call("aio", SYS_io_setup, "1, bytes(8)"),
  };
}

std::vector<Script> memory() {
  const auto maps = [](int protection) {
    return fmt::format("0, 4096, {}, {}, -1, 0", protection, MAP_PRIVATE | MAP_ANONYMOUS);
  };
  return {
      call("memory that is executed", SYS_mmap, maps(PROT_READ | PROT_EXEC)),
      call("memory that is written and executed", SYS_mmap, maps(PROT_READ | PROT_WRITE | PROT_EXEC)),
      python("make memory executable",
             fmt::format("import mmap\npage = mmap.mmap(-1, 4096)\naddress = "
                         "ctypes.addressof(ctypes.c_char.from_buffer(page))\nreturn call({}, "
                         "ctypes.c_void_p(address), 4096, {})",
                         SYS_mprotect, PROT_READ | PROT_EXEC),
             {kRefused}),
      python("execute what it has written",
             fmt::format("import mmap\ndef run():\n  with open('/tmp/x', 'wb+') as file:\n    "
                         "file.write(bytes(4096))\n    file.flush()\n    mmap.mmap(file.fileno(), 4096, "
                         "flags={}, prot={})\nreturn refused(run)",
                         MAP_PRIVATE, PROT_READ | PROT_EXEC),
             {kRefused}),
      call("pkey_mprotect", SYS_pkey_mprotect, "0, 0, 4, -1"),
      call("lock memory", SYS_mlockall, "1"),
      call("shared memory", SYS_shmget, "0, 4096, 0o1600"),
      python("10 GB at once", "return len(bytes(10 * 2 ** 30))", {kMemory}),
      python("10 GB in pieces", "a = []\nwhile True: a.append(bytes(10 ** 6))", {kMemory}),
      python("names without end", "a = {}\nwhile True: a[str(len(a))] = [1]", {kMemory, kTime}),
      python("memory that is asked for again",
             "while True:\n  try:\n    bytes(10 ** 10)\n  except MemoryError:\n    pass", {kTime}),
      python("doubling text", "a = 'x'\nwhile True: a += a", {kMemory}),
      python("100 MB of log", "for _ in range(1000): print('x' * 10 ** 5)\nreturn 1", {"1", kTime}),
      python("100 MB of result", "a = 'x' * 10 ** 6\nreturn [a] * 100", {kOutput, kMemory}),
      python("2^60 values in little memory", "a = [1]\nfor _ in range(60): a = [a, a]\nreturn a",
             {kTime, kMemory, kOutput}),
      python("message of 10 MB", "raise ValueError('x' * 10 ** 7)", {kThrown}),
      python("name of 10 MB", "raise type('n' * 10 ** 7, (Exception,), {})()", {kThrown}),
  };
}

std::vector<Script> kernel() {
  return {
      call("messages", SYS_msgget, "0, 0o1600"),
      call("semaphores", SYS_semget, "0, 1, 0o1600"),
      call("message queue", SYS_mq_open, "b'x', 0o102, 0o600, 0"),
      call("new namespaces", SYS_unshare, fmt::format("{}", CLONE_NEWUSER | CLONE_NEWNS)),
      call("a new namespace of mounts", SYS_unshare, fmt::format("{}", CLONE_NEWNS)),
      call("enter namespaces", SYS_setns, "0, 0"),
      call("mount", SYS_mount, "b'none', b'/tmp', b'tmpfs', 0, 0"),
      call("unmount", SYS_umount2, "b'/tmp', 0"),
      call("mount by file", SYS_fsopen, "b'tmpfs', 0"),
      call("open a tree of mounts", SYS_open_tree, "-100, b'/', 1"),
      call("pivot_root", SYS_pivot_root, "b'/', b'/'"),
      call("become root", SYS_setuid, "0"),
      call("capabilities", SYS_capset, "bytes(8), bytes(24)"),
      call("prctl", SYS_prctl, "4, 1, 0, 0, 0"),
      call("another filter", SYS_seccomp, "1, 0, bytes(16)"),
      call("more of Landlock", SYS_landlock_create_ruleset, "0, 0, 1"),
      call("personality", SYS_personality, "0x0400000"),
      call("bpf", SYS_bpf, "0, bytes(128), 128"),
      call("perf events", SYS_perf_event_open, "bytes(128), 0, -1, -1, 0"),
      call("userfaultfd", SYS_userfaultfd, "1"),
      call("keys", SYS_keyctl, "0, -3, 0"),
      call("add a key", SYS_add_key, "b'user', b'x', b'y', 1, -3"),
      call("load a module", SYS_init_module, "0, 0, b''"),
      call("reboot", SYS_reboot, "0, 0, 0, 0"),
      call("set the clock", SYS_clock_settime, "0, bytes(16)"),
      call("host name", SYS_sethostname, "b'x', 1"),
      call("kernel log", SYS_syslog, "3, bytes(64), 64"),
      call("terminal", SYS_ioctl, "3, 0x5412, b'x'"),
      call("a descriptor of segments", SYS_modify_ldt, "1, bytes(16), 16"),
      // The same numbers mean other calls there.
      python("calls of x32", fmt::format("return call({})", 0x40000000L + SYS_fork), {kRefused, kDied}),
  };
}

std::vector<Script> time() {
  return {
      python("endless loop", "while True: pass", {kTime}),
      python("loop that catches",
             "while True:\n  try:\n    while True: pass\n  except BaseException:\n    pass", {kTime}),
      python("loop in finally", "try:\n  while True: pass\nfinally:\n  while True: pass", {kTime}),
      python("long sum", "return 9 ** 9 ** 9", {kTime, kMemory}),
      python("long text of a number", "import sys\nsys.set_int_max_str_digits(0)\nreturn str(7 ** 10 ** 7)",
             {kTime}),
      python("catastrophic regex", "import re\nreturn bool(re.match('(a+)+$', 'a' * 50 + 'b'))", {kTime}),
      python("loop in the result", "class A(dict):\n  def items(self):\n    while True: pass\nreturn A(a=1)",
             {kTime, "{\"a\":1}"}),
      python("loop in what an error says",
             "class A(Exception):\n  def __str__(self):\n    while True: pass\nraise A()", {kTime}),
      python("clocks put away",
             "import signal\nfor one in (signal.SIGPROF, signal.SIGALRM, signal.SIGVTALRM, signal.SIGXCPU): "
             "signal.signal(one, signal.SIG_IGN)\nfor one in range(3): signal.setitimer(one, 0)\nwhile True: "
             "pass",
             {kTime, kDied}),
      python("clocks put away, and asleep for ever",
             "import signal, time\nfor one in range(3): signal.setitimer(one, 0)\ntime.sleep(1e6)", {kDied}),
  };
}

std::vector<Script> depth() {
  return {
      python("deep recursion", "def f(): return f()\nreturn f()", {kStack}),
      python("deeper recursion",
             "sys.setrecursionlimit(10 ** 9)\ndef f(): return [f() for _ in (1,)]\nreturn f()",
             {kStack, kMemory, kDied, kTime, kThrown}),
      python("deep brackets", "return " + std::string(100'000, '['), {kSyntax}),
      python("deep sums", "return " + std::string(100'000, '-') + "1", {kSyntax, kMemory, kStack, kDied}),
      python("deep result", "a = []\nfor _ in range(10_000): a = [a]\nreturn a", {"no_json_result"}),
      python("result that holds itself", "a = []\na.append(a)\nreturn a", {"no_json_result"}),
      python("deep JSON", "import json\nreturn json.loads('[' * 10 ** 5 + ']' * 10 ** 5)", {kStack, kThrown}),
      python("inputs that are deep", "return 1", {"invalid_input"},
             R"({"a":)" + std::string(10'000, '[') + std::string(10'000, ']') + "}"),
      python("memory that is not there", "ctypes.string_at(0)", {kDied}),
      python("abort", "os.abort()", {kDied}),
      python("end", "os._exit(0)", {kDied}),
  };
}

std::vector<Script> answers() {
  return {
      python("say that 4 GB come", "os.write(3, b'\\xff\\xff\\xff\\xff')\nos._exit(0)", {kDied}),
      python("say 100 MB", "while True: os.write(3, b'x' * 10 ** 6)", {kDied}),
      python("say what is no JSON",
             "os.write(3, b'\\x13\\0\\0\\0\\0\\1\\5\\0\\0\\0{\"a\":\\0\\0\\0\\0\\0\\0\\0\\0')\nos._exit(0)",
             {kDied}),
      python("say that it died", "os.write(3, b'\\x1e\\0\\0\\0\\x0c\\1' + bytes(28))\nos._exit(0)", {kDied}),
      python("hang up", "os.close(3)\nreturn 1", {kDied}),
      python("leave something",
             "import builtins, json\nbuiltins.left = 1\njson.left = 1\njson.dumps = None\nos.left = 1\n"
             "return 1",
             {"1", kThrown}),
      python("find what was left",
             "import builtins, json\nreturn [hasattr(one, 'left') for one in (builtins, json, os)]",
             {"[false,false,false]"}),
      python("leaves its function", "return 1\n)\nreturn 2", {kSyntax}),
      python("NUL in the code", std::string("return 1\0return 2", 17), {kSyntax}),
      python("bytes that are no UTF-8", "return '\xff\xfe'", {kSyntax, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""}),
      python("modules of the machine", "import pip", {kThrown}),
  };
}

}  // namespace

std::vector<Script> python_scripts() {
  std::vector<Script> all;
  for (auto* some : {processes, files, own_files, sockets, memory, kernel, time, depth, answers}) {
    for (Script& one : some()) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace holdfast::sandbox
