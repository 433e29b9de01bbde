#include "jail/python_jail.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "jail/giving_up.h"
#include "jail/landlock.h"
#include "wire/control.h"

namespace holdfast::sandbox {

namespace {

constexpr int kRulesetFile = 10;  // above those that are given, so that the interpreter's own lie between

std::string hex(std::span<const sock_filter> program) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::string_view bytes(reinterpret_cast<const char*>(program.data()), program.size_bytes());
  std::string out;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    out += kDigits[value >> 4];
    out += kDigits[value & 15];
  }
  return out;
}

// The rules of workers, in kRulesetFile; -1 in `file`: the kernel has none, and the level does without.
std::string rules(const PythonStart& start, int& file) {
  // At level 1 everything but /tmp is read-only anyway, and /tmp is made only after this.
  const bool is_alone = start.level == Level::kNamespaces;
  const int made = landlock_ruleset(start.readable, is_alone ? "/" : "");
  file = -1;
  if (made < 0) return is_alone ? std::string() : failed("the kernel's Landlock", -made);
  file = ::fcntl(made, F_DUPFD, kRulesetFile);
  const int error = errno;
  ::close(made);
  return file < 0 ? failed("F_DUPFD", error) : std::string();
}

std::string give_up(const PythonStart& start, const Filter& filter, int& ruleset) {
  ::umask(077);
  constexpr auto kFirstOther = static_cast<unsigned>(kPythonNull) + 1;
  if (::syscall(SYS_close_range, 3U, static_cast<unsigned>(kPythonNull) - 1, 0) != 0 ||
      ::syscall(SYS_close_range, kFirstOther, ~0U, 0) != 0)
    return failed("close_range", errno);
  if (::chdir("/") != 0) return failed("chdir", errno);
  if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_MEMLOCK, 0) || !limit(RLIMIT_MSGQUEUE, 0))
    return failed("setrlimit", errno);
  if (start.level == Level::kLandlock) {
    if (std::string why = become_nobody(); !why.empty()) return why;
  } else if (::getpid() != 1) {
    return "it is not alone in a namespace of processes";
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("PR_SET_NO_NEW_PRIVS", errno);
  if (std::string why = rules(start, ruleset); !why.empty()) return why;
  // At level 1 its workers mount their /tmp first, which Landlock would forbid.
  if (start.level == Level::kLandlock) {
    if (const int error = landlock_enter(ruleset); error != 0) return failed("the kernel's Landlock", error);
  }
  if (const int error = filter.enter(); error != 0) return failed("seccomp", error);
  return {};
}

}  // namespace

int become_python(const PythonStart& start) {
  Hello hello;
  hello.landlock = static_cast<std::uint32_t>(landlock_version());
  const auto first = Filter::of_first_python();
  const auto worker = Filter::of_python_worker();
  int ruleset = -1;
  std::string why = kNoFilter;
  if (first && worker) why = give_up(start, *first, ruleset);
  if (why.empty()) {
    std::vector<std::string> words = {start.interpreter,
                                      "-s",
                                      "-S",
                                      "-P",
                                      "-B",
                                      "-X",
                                      "utf8",
                                      "-c",
                                      start.runner,
                                      std::to_string(static_cast<int>(start.level)),
                                      hex(worker->program()),
                                      std::to_string(ruleset),
                                      std::to_string(hello.landlock),
                                      std::to_string(kPythonNull),
                                      start.packages};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    // So that a set is in the same order each time.
    std::string seed = "PYTHONHASHSEED=0";
    char* environment[] = {seed.data(), nullptr};
    ::execve(start.interpreter.c_str(), arguments.data(), environment);
    why = failed(start.interpreter.c_str(), errno);
  }
  std::strncpy(hello.why, why.c_str(), sizeof hello.why - 1);
  (void)!::write(kPythonControl, &hello, sizeof hello);
  return 1;
}

}  // namespace holdfast::sandbox
