// Goal: a program has the files that it was given, each under its number. Method: real programs.

#include "os/spawn.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace holdfast::os {
namespace {

// The same file under a number that no test gives away.
int moved_up(int file) {
  const int up = ::fcntl(file, F_DUPFD_CLOEXEC, 20);
  ::close(file);
  return up;
}

int file_with(std::string_view text) {
  const int file = moved_up(::memfd_create("spawn-test", MFD_CLOEXEC));
  EXPECT_EQ(::write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::lseek(file, 0, SEEK_SET);
  return file;
}

// Puts `file` under `number` for a while, whatever was there.
class Placed {
 public:
  Placed(int file, int number) : number_(number), before_(::fcntl(number, F_DUPFD_CLOEXEC, 20)) {
    EXPECT_EQ(::dup2(file, number), number);
    ::close(file);
  }
  ~Placed() {
    ::close(number_);
    if (before_ >= 0) ::dup2(before_, number_), ::close(before_);
  }

 private:
  const int number_;
  const int before_;
};

TEST(Spawn, FilesWhoseNumbersCrossAreEachInTheirPlace) {
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const int in = moved_up(pipe[0]);
  const int out = moved_up(pipe[1]);
  pid_t pid = 0;
  {
    const Placed first(file_with("first"), 4);
    const Placed second(file_with("second"), 3);
    ASSERT_EQ(spawn({{"/bin/sh", "-c", "cat <&3; echo; cat <&4"}, {"PATH=/bin:/usr/bin"}, {0, out, 2, 4, 3}}, pid), 0);
  }
  ::close(out);
  std::string said;
  char piece[256];
  for (ssize_t got; (got = ::read(in, piece, sizeof piece)) > 0;) said.append(piece, static_cast<std::size_t>(got));
  ::close(in);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(said, "first\nsecond");
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(Spawn, WhatIsNoFileOrNoProgramIsAnError) {
  pid_t pid = 0;
  EXPECT_EQ(spawn({{"/bin/true"}, {}, {0, 1, -1}}, pid), EBADF);
  EXPECT_EQ(spawn({{"/nowhere/at/all"}, {}, {0, 1, 2}}, pid), ENOENT);
}

}  // namespace
}  // namespace holdfast::os
