// Goal: a program gets what it was given and nothing else, and is gone when its owner is. Method: real ones.

#include "os/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <thread>

namespace holdfast::os {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::unique_ptr<ChildProcess> shell(const std::string& script, std::vector<std::string> environment = {}) {
  ChildProcess::Options options;
  options.command = {"/bin/sh", "-c", script};
  options.environment = std::move(environment);
  options.grace = milliseconds(50);
  auto child = ChildProcess::start(options);
  EXPECT_TRUE(child.has_value()) << child.error().message();
  return child ? std::move(*child) : nullptr;
}

// Everything it says until it closes its output.
std::string all(ChildProcess& child, std::string_view out = {}) {
  std::string in;
  while (child.turn(out, in, milliseconds(1000))) {
  }
  return in;
}

// Whoever adopts it may take a moment to bury it; it runs no more.
bool eventually_gone(pid_t pid) {
  for (int i = 0; i < 2000; ++i) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string number, name, state;
    if (!(stat >> number >> name >> state) || state == "Z" || state == "X") return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

TEST(ChildProcess, ReadsAndWritesMoreThanPipesHold) {
  auto child = shell("head -c 200000 | tee /dev/stderr");
  const std::string text(200000, 'x');
  std::string_view out = text;
  std::size_t read = 0;
  std::string in;
  for (bool more = true; more; in.clear()) {
    more = child->turn(out, in, milliseconds(1000));
    read += in.size();
    EXPECT_EQ(in.find_first_not_of('x'), std::string::npos);
  }
  EXPECT_EQ(read, text.size());
  EXPECT_EQ(child->last_words().size(), ChildProcess::kLastWordsBytes);
}

TEST(ChildProcess, ItsEnvironmentIsWhatWasGiven) {
  ::setenv("HOLDFAST_TEST_SECRET", "not yours", 1);
  EXPECT_THAT(all(*shell("env; ls /proc/self/fd | wc -l; pwd", {"PATH=/usr/bin:/bin", "GIVEN=yes"})),
              ::testing::AllOf(HasSubstr("GIVEN=yes"), ::testing::Not(HasSubstr("not yours")),
                               HasSubstr("\n4\n/\n")));  // three streams, and the folder that ls reads
}

TEST(ChildProcess, HowItEndedIsTold) {
  auto child = shell("echo no such table >&2; exit 3");
  EXPECT_THAT(all(*child), IsEmpty());
  EXPECT_EQ(child->ending(), "exited with code 3");
  EXPECT_THAT(std::string(child->last_words()), HasSubstr("no such table"));
  auto killed = shell("kill -9 $$");
  EXPECT_THAT(all(*killed), IsEmpty());
  EXPECT_EQ(killed->ending(), "was ended by signal 9");
}

TEST(ChildProcess, WritingToOneThatEndedIsNoSignal) {
  auto child = shell("exec 0<&-; echo closed; read x");
  std::string in;
  std::string_view none;
  while (in.empty()) child->turn(none, in, milliseconds(1000));
  EXPECT_THAT(all(*child, "more"), IsEmpty());
}

TEST(ChildProcess, NothingOfItOutlivesItsOwner) {
  pid_t grandchild = 0;
  {
    auto child = shell("trap '' TERM; (trap '' TERM; echo $(exec sh -c 'echo $PPID'); sleep 100) & wait");
    std::string in;
    std::string_view none;
    while (in.find('\n') == std::string::npos) child->turn(none, in, milliseconds(1000));
    grandchild = std::stoi(in);
    ASSERT_EQ(::kill(grandchild, 0), 0);
  }
  EXPECT_TRUE(eventually_gone(grandchild));
}

TEST(ChildProcess, WhatIsNoProgramSaysSo) {
  ChildProcess::Options options;
  options.command = {"/no/such/program"};
  auto none = ChildProcess::start(options);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code(), Code::kNotFound);
  options.command = {"/etc/passwd"};
  none = ChildProcess::start(options);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code(), Code::kPermissionDenied);
}

}  // namespace
}  // namespace holdfast::os
