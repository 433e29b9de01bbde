// What the store has answered survives SIGKILL, on the real disk and on one that throws unsynced bytes away.
//
// A child process (this program again, with a hidden test) commits steps and publishes events from several
// threads and says what was acknowledged through a pipe. The parent kills it after a random number of
// acknowledgements, opens the same directory and compares: nothing acknowledged is missing, and a step has
// its message, its record and its tokens, or none of them. Rounds go on in the same directory.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "faults/unsynced_loss_vfs.h"
#include "fixture/temporary_directory.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::platform {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 12;

std::string conversation(int thread) {
  return "c" + std::to_string(thread);
}
std::string step_key(int thread, std::uint64_t n) {
  return "step-" + std::to_string(thread) + "-" + std::to_string(n);
}

void acknowledge(int thread, char what, std::uint64_t n) {
  const std::string line =
      std::string(1, what) + " " + std::to_string(thread) + " " + std::to_string(n) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(3);
}

constexpr std::int64_t kHeld = 3;

// The runs of all threads draw on one budget.
void open_account(Store& store, const std::string& run, const std::string& parent) {
  StepWrite step;
  step.key = "begin-" + run;
  step.run = run;
  step.result = "{}";
  AccountOpening& account = step.account.emplace();
  account.run = run;
  account.parent = parent;
  account.limits.money = 1'000'000'000;
  if (!store.commit_step(step)) std::_Exit(2);
}

std::string told_key(std::uint64_t step) {
  return "step/" + std::to_string(step);
}

// Every other thread: its text and its event are as durable as its step, though nobody waits for the log.
Result<StepRecord> commit(OpenStores& stores, const StepWrite& step, std::uint64_t n, bool tells) {
  if (!tells) return stores.store->commit_step(step);
  auto writer = stores.streams->open(step.run, std::to_string(n), 1);
  if (!writer || !(*writer)->append("text " + std::to_string(n)).ok())
    return fail(Code::kInternal, "no text");
  return stores.outbox->commit_step(step, {{step.run, "told", "{}", told_key(n)}});
}

void work(OpenStores& stores, int thread) {
  Store& store = *stores.store;
  Streams& streams = *stores.streams;
  Reference head = Store::empty_conversation(conversation(thread));
  if (Result<Reference> stored = store.head(conversation(thread), 0)) head = *stored;
  while (true) {
    StepWrite step;
    step.key = step_key(thread, head.sequence + 1);
    step.run = "r" + std::to_string(thread);
    step.expected = head;
    step.messages = {"message " + std::to_string(head.sequence + 1)};
    Usage usage;
    usage.key = step.key;
    usage.run = step.run;
    usage.input_tokens = 1;
    usage.cost = 1;
    step.usage = {usage};
    Reservation held;
    held.key = step.key;
    held.run = step.run;
    held.most.money = kHeld;
    held.priced = true;
    const Result<Reserved> reserved = store.reserve(held);
    if (!reserved || reserved->refused) std::_Exit(2);
    step.settles = held.key;
    Result<StepRecord> record = commit(stores, step, head.sequence + 1, thread % 2 == 1);
    if (!record || record->replayed || record->appended->branch_opened) std::_Exit(2);
    head = record->appended->head;
    acknowledge(thread, 'S', head.sequence);
    if (head.sequence % 3 != 0) continue;
    Result<Event> event = streams.publish(step.run, "step", "{}");
    if (!event) std::_Exit(2);
    acknowledge(thread, 'E', event->seq);
  }
}

// The hidden test: what the child runs until it is killed.
TEST(CrashChild, DISABLED_Work) {
  const char* directory = std::getenv("HOLDFAST_CRASH_DIRECTORY");
  if (directory == nullptr) GTEST_SKIP();
  os::SystemClock clock;
  os::SystemRandom random;
  os::ThreadExecutor flusher("flusher");
  SqliteOptions options;
  options.directory = directory;
  if (std::getenv("HOLDFAST_CRASH_LOSSY") != nullptr) options.vfs = faults::register_unsynced_loss_vfs();
  Result<OpenStores> stores = open_sqlite(options, clock, random, flusher);
  ASSERT_TRUE(stores) << stores.error().to_string();
  open_account(*stores->store, "root", "");
  for (int t = 0; t < kThreads; ++t) open_account(*stores->store, "r" + std::to_string(t), "root");
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) threads.emplace_back([&, t] { work(*stores, t); });
  for (std::thread& thread : threads) thread.join();
}

struct Acknowledged {
  std::uint64_t step = 0;
  std::uint64_t event = 0;
};

// Runs the child until it has acknowledged `count` things, kills it, and returns the last of each thread.
std::map<int, Acknowledged> run_and_kill(const std::filesystem::path& directory, bool lossy, int count) {
  int fds[2];
  EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(fds[1], STDOUT_FILENO);
    ::setenv("HOLDFAST_CRASH_DIRECTORY", directory.c_str(), 1);
    if (lossy) ::setenv("HOLDFAST_CRASH_LOSSY", "1", 1);
    ::unsetenv("GTEST_OUTPUT");  // the report is the parent's
    ::execl("/proc/self/exe", "platform_sqlite_test", "--gtest_filter=CrashChild.DISABLED_Work",
            "--gtest_also_run_disabled_tests", "--gtest_brief=1", nullptr);
    std::_Exit(4);
  }
  ::close(fds[1]);
  std::string text;
  char buffer[4096];
  int lines = 0;
  bool killed = false;
  for (ssize_t got = ::read(fds[0], buffer, sizeof(buffer)); got > 0;
       got = ::read(fds[0], buffer, sizeof(buffer))) {
    text.append(buffer, static_cast<std::size_t>(got));
    lines += static_cast<int>(std::count(buffer, buffer + got, '\n'));
    if (lines < count || killed) continue;
    ::kill(child, SIGKILL);
    killed = true;
  }
  ::close(fds[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status << "\n" << text;

  std::map<int, Acknowledged> out;
  std::istringstream in(text);
  char what = 0;
  int thread = 0;
  std::uint64_t n = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    if (!(fields >> what >> thread >> n)) continue;
    (what == 'S' ? out[thread].step : out[thread].event) = n;
  }
  return out;
}

class CrashTest : public ::testing::TestWithParam<bool> {};

void check(const std::filesystem::path& directory, const std::map<int, Acknowledged>& acknowledged) {
  os::SystemClock clock;
  os::SystemRandom random;
  os::ThreadExecutor flusher("flusher");
  SqliteOptions options;
  options.directory = directory;
  Result<OpenStores> stores = open_sqlite(options, clock, random, flusher);
  ASSERT_TRUE(stores) << stores.error().to_string();
  std::int64_t spent = 0;
  std::int64_t held = 0;
  for (const auto& [thread, last] : acknowledged) {
    const std::string run = "r" + std::to_string(thread);
    Result<Reference> head = stores->store->head(conversation(thread), 0);
    ASSERT_TRUE(head);
    EXPECT_GE(head->sequence, last.step);
    EXPECT_LE(head->sequence, last.step + 1);  // at most the one that was under way
    EXPECT_FALSE(stores->store->head(conversation(thread), 1));
    // Message, record and tokens: all of the last step, nothing of the one after.
    Result<std::vector<Message>> messages = stores->store->read(*head, head->sequence);
    ASSERT_TRUE(messages) << messages.error().to_string();
    EXPECT_EQ(messages->back().json, "message " + std::to_string(head->sequence));
    EXPECT_TRUE(stores->store->lookup_step(step_key(thread, head->sequence))->has_value());
    EXPECT_FALSE(stores->store->lookup_step(step_key(thread, head->sequence + 1))->has_value());
    EXPECT_EQ(stores->store->usage_of_run(run)->input_tokens, static_cast<std::int64_t>(head->sequence));
    // What was spent is settled with its step, and what was under way is held.
    const Account account = **stores->store->account(run);
    EXPECT_EQ(account.used.cost, static_cast<std::int64_t>(head->sequence));
    EXPECT_TRUE(account.reserved.money == 0 || account.reserved.money == kHeld) << account.reserved.money;
    spent += account.used.cost;
    held += account.reserved.money;

    std::uint64_t events = 0;
    std::string cursor;
    for (bool more = true; more;) {
      Result<EventPage> page = stores->streams->read(run, cursor, 1000);
      ASSERT_TRUE(page);
      for (const Event& event : page->events) ASSERT_EQ(event.seq, ++events);
      cursor = page->cursor;
      more = page->more;
    }
    EXPECT_GE(events, last.event);
    if (thread % 2 == 0) continue;
    // All that was told, in each process that there was, once.
    for (std::uint64_t n = 1; n <= head->sequence; ++n) {
      ASSERT_TRUE(*stores->streams->find(run, told_key(n))) << n << " of " << head->sequence;
      const Result<ChunkPage> text = stores->streams->read_chunks(run, std::to_string(n), 0, 0, 10);
      ASSERT_EQ(text->chunks.size(), 1u) << n;
      ASSERT_EQ(text->chunks.front().text, "text " + std::to_string(n));
    }
  }
  if (acknowledged.size() < kThreads) return;  // the others have accounts, too
  const Account root = **stores->store->account("root");
  EXPECT_EQ(root.used.cost, spent);
  EXPECT_EQ(root.reserved.money, held);
}

TEST_P(CrashTest, NothingAcknowledgedIsLost) {
  fixture::TemporaryDirectory directory;
  std::mt19937 random(20260101);
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    const int count = std::uniform_int_distribution<int>(1, 400)(random);
    const std::map<int, Acknowledged> acknowledged = run_and_kill(directory.path(), GetParam(), count);
    check(directory.path(), acknowledged);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Disks, CrashTest, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "LosingUnsyncedBytes" : "Real"; });

}  // namespace
}  // namespace holdfast::platform
