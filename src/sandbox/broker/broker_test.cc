// Goal: the broker answers whatever happens in its processes, keeps tenants apart, and stays within its
// bounds. Method: the real program on this machine, at every level that it has.

#include "broker/broker.h"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "os/clock.h"

namespace holdfast::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class BrokerTest : public ::testing::TestWithParam<int> {
 protected:
  std::unique_ptr<Broker> start(std::size_t most = 4) {
    auto broker = Broker::start({.most_workers = most, .level = GetParam()}, memory_, clock_);
    if (!broker) skipped_ = broker.error().message();
    return broker ? std::move(*broker) : nullptr;
  }
  static Request script(std::string code) {
    Request request;
    request.kind = Kind::kScript;
    request.code = std::move(code);
    return request;
  }
  static std::string told(const Result<Reply>& reply) {
    if (!reply) return reply.error().to_string();
    if (!reply->failure) return reply->result;
    return std::string(fault_name(reply->failure->fault)) + " " + reply->failure->message;
  }

  MemoryBudget memory_{"sandbox", 256U << 20};
  os::SystemClock clock_;
  std::string skipped_;
};

#define START(...)                        \
  const auto broker = start(__VA_ARGS__); \
  if (broker == nullptr) GTEST_SKIP() << skipped_

INSTANTIATE_TEST_SUITE_P(Levels, BrokerTest, ::testing::Values(1, 2));

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = 'Z';
  long ticks = 0;  // of processor time
};

Process process(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string stat;
  std::getline(file, stat);
  Process found;
  const std::size_t behind_name = stat.rfind(')');
  if (behind_name == std::string::npos) return found;
  std::istringstream words(stat.substr(behind_name + 1));
  std::string skipped;
  words >> found.state >> found.parent;
  for (int i = 0; i < 9; ++i) words >> skipped;
  words >> found.ticks;
  found.pid = std::atoi(pid.c_str());
  return found;
}

std::size_t resident_bytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// What this test has started, whoever is its parent.
std::vector<Process> processes() {
  std::vector<Process> all;
  DIR* folder = ::opendir("/proc");
  for (const dirent* entry = ::readdir(folder); entry != nullptr; entry = ::readdir(folder)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    if (const Process one = process(entry->d_name); one.state != 'Z') all.push_back(one);
  }
  ::closedir(folder);
  std::vector<Process> ours = {{.pid = ::getpid()}};
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const pid_t parent = ours[i].pid;
    std::ranges::copy_if(all, std::back_inserter(ours),
                         [&](const Process& one) { return one.parent == parent; });
  }
  ours.erase(ours.begin());
  return ours;
}

TEST_P(BrokerTest, Evaluates) {
  START();
  EXPECT_EQ(broker->level(), GetParam());
  EXPECT_EQ(told(broker->run("a", script("return 6 * 7"))), "42");
  Request request;
  request.code = "rows.map(r => r.id)";
  request.inputs = R"({"rows":[{"id":9007199254740993}]})";
  EXPECT_EQ(told(broker->run("a", request)), "[9007199254740993]");
}

TEST_P(BrokerTest, SaysWhatStandsAroundIt) {
  START();
  EXPECT_THAT(broker->description(),
              StartsWith(GetParam() == 1 ? "level 1: bubblewrap, seccomp" : "level 2: seccomp, Landlock"));
}

TEST_P(BrokerTest, LargeInputsAndResultsGoThrough) {
  START();
  Request request = script("return text + text");
  request.inputs = R"({"text":")" + std::string(4U << 20, 'x') + "\"}";
  request.limits.memory_bytes = 64U << 20;
  request.limits.output_bytes = 16U << 20;
  request.limits.time_ms = 1000;
  const auto reply = broker->run("a", request);
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->result.size(), (8U << 20) + 2) << told(reply).substr(0, 200);
}

TEST_P(BrokerTest, GoesOnAfterEveryFailure) {
  START();
  EXPECT_THAT(told(broker->run("a", script("for (;;) {}"))), StartsWith("time_limit"));
  EXPECT_THAT(told(broker->run("a", script("return new Uint8Array(1e9)"))), StartsWith("memory_limit"));
  EXPECT_THAT(told(broker->run("a", script("return x"))), StartsWith("exception"));
  EXPECT_EQ(told(broker->run("a", script("return 1"))), "1");
}

// The engine does not look at its clock while it sorts; the timer of the process ends it.
TEST_P(BrokerTest, ALongLoopInsideTheEngineEnds) {
  START();
  Request request = script("const a = []; a.length = 4e9; return a.indexOf(1)");
  EXPECT_THAT(told(broker->run("a", request)), StartsWith("time_limit"));
  request = script("let n = 3n; for (let i = 0; i < 24; i++) n *= n; return String(n).length");
  EXPECT_THAT(told(broker->run("a", request)),
              ::testing::AnyOf(StartsWith("time_limit"), StartsWith("memory_limit")));
  EXPECT_EQ(told(broker->run("a", script("return 1"))), "1");
}

TEST_P(BrokerTest, AProcessKilledInMidCallIsAFailure) {
  START();
  Request request = script("for (;;) {}");
  request.limits.time_ms = 20'000;
  std::string end;
  std::thread call([&] { end = told(broker->run("a", request)); });
  // The busy one is the one that has used processor time.
  for (bool killed = false; !killed; std::this_thread::yield()) {
    for (const Process& one : processes())
      killed = killed || (one.ticks > 3 && ::kill(one.pid, SIGKILL) == 0);
  }
  call.join();
  EXPECT_EQ(end, "sandbox_died the process that ran it was killed");
  EXPECT_EQ(told(broker->run("a", script("return 1"))), "1");
}

TEST_P(BrokerTest, ASandboxKilledWholeIsStartedAgain) {
  START();
  EXPECT_EQ(told(broker->run("a", script("return 1"))), "1");
  const std::vector<Process> all = processes();
  for (const Process& one : all) ::kill(one.pid, SIGKILL);
  // Those whose parent went before them, too.
  for (const Process& one : all) {
    while (process(std::to_string(one.pid)).state != 'Z') std::this_thread::yield();
  }
  EXPECT_EQ(told(broker->run("b", script("return 2"))), "2");
  EXPECT_EQ(told(broker->run("a", script("return 3"))), "3");
}

TEST_P(BrokerTest, ManyTenantsInFewProcesses) {
  START(3);
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(told(broker->run("tenant" + std::to_string(i % 20),
                               script("return typeof left + (globalThis.left = 1)"))),
              R"("undefined1")");
  }
  // Those, the first, bubblewrap's, and three made ahead: who made room for another ends, and nobody waits
  // for it.
  while (processes().size() > 3U + 2U + kSpares + 1U) std::this_thread::yield();
}

// The engine of a first call is taken apart only when there is a second one.
TEST_P(BrokerTest, ATenantFindsNothingOfItsOwnCalls) {
  START();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(told(broker->run("a", script("Array.prototype.left = 1; "
                                           "return typeof left + (globalThis.left = 1)"))),
              R"("undefined1")");
    Request request;
    request.code = "typeof [].left";
    EXPECT_EQ(told(broker->run("a", request)), R"("undefined")");
  }
}

TEST_P(BrokerTest, AnIdleProcessKeepsLittle) {
  START();
  Request request = script("return globalThis.left = new Array(1e6).fill('x').map((x, i) => x + i), 1");
  request.limits.memory_bytes = kMostMemoryBytes;
  request.limits.time_ms = 10'000;
  EXPECT_EQ(told(broker->run("a", request)), "1");
  // It answers first.
  while (std::ranges::any_of(processes(),
                             [](const Process& one) { return resident_bytes(one.pid) > 16U << 20; }))
    std::this_thread::yield();
}

TEST_P(BrokerTest, ManyThreads) {
  START(4);
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string n = std::to_string(t * 1000 + i);
        right += told(broker->run("tenant" + std::to_string(t % 5), script("return " + n))) == n ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 200);
}

TEST_P(BrokerTest, StaysWithinItsMemory) {
  START();
  Request request = script("return 1");
  request.limits.memory_bytes = kMostMemoryBytes;
  MemoryBudget small("sandbox", 64U << 20);
  auto tight = Broker::start({.level = GetParam()}, small, clock_);
  ASSERT_TRUE(tight);
  EXPECT_THAT(told((*tight)->run("a", request)), StartsWith("RESOURCE_EXHAUSTED"));
  EXPECT_EQ(told((*tight)->run("a", script("return 1"))), "1");
  EXPECT_EQ(small.used(), 0U);
}

TEST_P(BrokerTest, LeavesNothingBehind) {
  {
    START();
    EXPECT_EQ(told(broker->run("a", script("return 1"))), "1");
    EXPECT_FALSE(processes().empty());
  }
  EXPECT_TRUE(processes().empty());
}

TEST(Broker, RefusesAMachineWithoutASandbox) {
  MemoryBudget memory("sandbox", 256U << 20);
  const os::SystemClock clock;
  const auto none = Broker::start({.level = 1, .bubblewrap = "/nowhere/bwrap"}, memory, clock);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(none.error().message(), HasSubstr("/nowhere/bwrap is not there; install bubblewrap"));
  const auto second = Broker::start({.bubblewrap = "/nowhere/bwrap"}, memory, clock);
  if (second) EXPECT_THAT((*second)->description(), HasSubstr("no level 1: /nowhere/bwrap"));
  const auto broken = Broker::start({.level = 2, .program = "no program"}, memory, clock);
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message(), HasSubstr("level 2: its program does not start"));
}

}  // namespace
}  // namespace holdfast::sandbox
