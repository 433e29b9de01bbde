// Goal: a process that has shut itself in can do its work and nothing else. Method: children of the test shut
// themselves in and try; how they end says what happened. The whole suite of attempts is
// tests/attack/sandbox.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "jail/landlock.h"
#include "jail/shut_in.h"

namespace holdfast::sandbox {
namespace {

constexpr int kDone = 7;
constexpr int kRefused = 8;

// "done", "refused", "killed N" of a child that ran it.
std::string in_child(const std::function<bool()>& attempt) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(attempt() ? kDone : kRefused);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) return "killed " + std::to_string(WTERMSIG(status));
  return WEXITSTATUS(status) == kDone ? "done" : WEXITSTATUS(status) == kRefused ? "refused" : "strange";
}

std::string filtered(const std::function<bool()>& attempt) {
  const auto filter = Filter::of_worker();
  return in_child([&] {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return filter && filter->enter() == 0 && attempt();
  });
}

TEST(WorkerFilter, LetsItWork) {
  EXPECT_EQ(filtered([] { return true; }), "done");
  EXPECT_EQ(filtered([] {
              void* got =
                  ::mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return got != MAP_FAILED && ::munmap(got, 1 << 20) == 0;
            }),
            "done");
}

TEST(WorkerFilter, EndsWhatDoesMore) {
  const std::string killed = "killed " + std::to_string(SIGSYS);
  EXPECT_EQ(filtered([] { return ::open("/etc/passwd", O_RDONLY) >= 0; }), killed);
  EXPECT_EQ(filtered([] { return ::socket(AF_INET, SOCK_STREAM, 0) >= 0; }), killed);
  EXPECT_EQ(filtered([] { return ::fork() >= 0; }), killed);
  EXPECT_EQ(filtered([] { return ::kill(::getppid(), 0) == 0; }), killed);
  EXPECT_EQ(filtered([] {
              return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
                     MAP_FAILED;
            }),
            killed);
}

TEST(Landlock, ReachesNoFile) {
  if (landlock_version() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(in_child([] {
              ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
              if (landlock_all() != 0) return true;
              return ::open("/etc/passwd", O_RDONLY) >= 0 || ::open("/tmp", O_TMPFILE | O_RDWR, 0600) >= 0 ||
                     ::execl("/bin/true", "true", nullptr) == 0;
            }),
            "refused");
}

}  // namespace
}  // namespace holdfast::sandbox
