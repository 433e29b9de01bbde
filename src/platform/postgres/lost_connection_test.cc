// A store whose server goes away: nothing is lost, nothing is written twice, and nobody else writes
// meanwhile. Method: a real server that is stopped hard and started again under load, a line that is cut
// around a COMMIT, and a second store on the same schema.

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "base/storage_fault.h"
#include "fixture/postgres_server.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_postgres/cut_line.h"
#include "platform_postgres/postgres_store.h"
#include "postgres/statement.h"

namespace holdfast::platform {
namespace {

using fixture::PostgresServer;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LostConnection : public ::testing::Test {
 protected:
  Result<OpenPostgres> try_open(const std::string& address, std::chrono::milliseconds patience = 20s) {
    PostgresOptions options;
    options.address = *postgres::parse_address(address);
    options.patience = patience;
    options.fatal = [this](const std::string& message) { fatal_.push_back(message); };
    return open_postgres(options, clock_, random_, flusher_);
  }
  OpenPostgres open(const std::string& address, std::chrono::milliseconds patience = 20s) {
    Result<OpenPostgres> opened = try_open(address, patience);
    if (!opened) throw std::runtime_error(opened.error().to_string());
    return *std::move(opened);
  }
  // The same schema behind another socket.
  static std::string through(const CutLine& line, const std::string& address) {
    return "postgres:///postgres?host=" + line.folder() + address.substr(address.find("&user="));
  }
  static std::string folder_of(const std::string& address) {
    const std::size_t begin = address.find("host=") + 5;
    return address.substr(begin, address.find('&') - begin);
  }
  void execute(const std::string& address, const std::string& sql) {
    auto connection = postgres::Connection::open(*postgres::parse_address(address), {}, clock_);
    ASSERT_TRUE(connection) << connection.error().to_string();
    ASSERT_TRUE((*connection)->execute(sql).ok());
  }

  os::SystemClock clock_;
  os::SystemRandom random_;
  os::ThreadExecutor flusher_{"flusher"};
  std::vector<std::string> fatal_;
};

std::vector<std::string> texts(Store& store, const std::string& conversation) {
  const Result<Reference> head = store.head(conversation, 0);
  if (!head) return {head.error().to_string()};
  std::vector<std::string> out;
  for (const Message& message : *store.read(*head)) out.push_back(message.json);
  return out;
}

// Appending is what no key makes safe to repeat: it shows whether a write was done twice or not at all.
TEST_F(LostConnection, AWriteWhoseAnswerIsLostIsThereOnce) {
  const std::string address = PostgresServer::shared().new_address();
  CutLine line(folder_of(address));
  OpenPostgres stores = open(through(line, address));
  Reference head = stores.store->append(Store::empty_conversation("c"), {"one"})->head;
  line.cut(CutLine::Where::kAfterCommit);
  Result<Appended> second = stores.store->append(head, {"two"});
  ASSERT_TRUE(second) << second.error().to_string();
  EXPECT_FALSE(second->branch_opened);
  line.cut(CutLine::Where::kBeforeCommit);
  Result<Appended> third = stores.store->append(second->head, {"three"});
  ASSERT_TRUE(third) << third.error().to_string();
  EXPECT_FALSE(third->branch_opened);
  EXPECT_EQ(line.cuts(), 2);
  EXPECT_THAT(texts(*stores.store, "c"), ElementsAre("one", "two", "three"));
  EXPECT_FALSE(stores.store->head("c", 1));

  for (const auto where : {CutLine::Where::kAfterCommit, CutLine::Where::kBeforeCommit}) {
    line.cut(where);
    ASSERT_TRUE(stores.streams->publish("r", "said", "{}"));
  }
  EXPECT_EQ(line.cuts(), 4);
  EXPECT_EQ(stores.streams->read("r", "", 10)->events.size(), 2U);
  EXPECT_TRUE(fatal_.empty());
}

// Many at once, each with an effect of its own, while the server is killed and comes back.
TEST_F(LostConnection, AServerThatIsKilledAndComesBackIsOnlyWaitedFor) {
  PostgresServer server;
  OpenPostgres stores = open(server.new_address(), 60s);
  constexpr int kThreads = 4;
  constexpr int kSteps = 40;
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::string conversation = "c" + std::to_string(t);
      Reference head = Store::empty_conversation(conversation);
      for (int i = 0; i < kSteps; ++i) {
        Result<Appended> appended = stores.store->append(head, {std::to_string(i)});
        ASSERT_TRUE(appended) << appended.error().to_string();
        ASSERT_FALSE(appended->branch_opened);
        head = appended->head;
        ASSERT_TRUE(stores.streams->publish(conversation, "said", "{}"));
        ++done;
      }
    });
  }
  for (int crash = 1; crash <= 2; ++crash) {
    while (done < crash * kThreads * kSteps / 3) std::this_thread::yield();
    server.crash();
    server.start();
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < kThreads; ++t) {
    const std::string conversation = "c" + std::to_string(t);
    EXPECT_EQ(stores.store->head(conversation, 0)->sequence, std::uint64_t{kSteps});
    EXPECT_EQ(stores.streams->read(conversation, "", 100)->events.size(), std::size_t{kSteps});
  }
  EXPECT_TRUE(fatal_.empty());
}

TEST_F(LostConnection, AServerThatStaysAwayIsUnavailableAndThenGoesOn) {
  PostgresServer server;
  OpenPostgres stores = open(server.new_address(), 100ms);
  ASSERT_TRUE(stores.store->append(Store::empty_conversation("c"), {"one"}));
  server.crash();
  for (int i = 0; i < 2; ++i) {
    const auto refused = stores.store->append(Store::empty_conversation("d"), {"one"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kUnavailable);
    EXPECT_EQ(fault_of(refused.error()), StorageFault::kIo);
    EXPECT_EQ(stores.store->head("c", 0).error().code(), Code::kUnavailable);
    EXPECT_EQ(stores.streams->publish("r", "said", "{}").error().code(), Code::kUnavailable);
  }
  server.start();
  Result<Appended> appended = stores.store->append(Store::empty_conversation("d"), {"two"});
  while (!appended && appended.error().code() == Code::kUnavailable)
    appended = stores.store->append(Store::empty_conversation("d"), {"two"});
  ASSERT_TRUE(appended) << appended.error().to_string();
  EXPECT_THAT(texts(*stores.store, "d"), ElementsAre("two"));
}

TEST_F(LostConnection, TwoStoresNeverHaveOneSchema) {
  const std::string address = PostgresServer::shared().new_address();
  OpenPostgres first = open(address, 200ms);
  Result<OpenPostgres> second = try_open(address, 50ms);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_EQ(fault_of(second.error()), StorageFault::kLocked);
  EXPECT_THAT(second.error().message(), HasSubstr("in use"));
}

// Its connections end, somebody else takes the schema, and what it still wants to write is not written.
TEST_F(LostConnection, AStoreThatWasReplacedWritesNothingMore) {
  const std::string address = PostgresServer::shared().new_address();
  CutLine line(folder_of(address));
  auto first = std::make_unique<OpenPostgres>(open(through(line, address), 200ms));
  ASSERT_TRUE(first->store->append(Store::empty_conversation("c"), {"mine"}));
  execute(address,
          "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> "
          "pg_backend_pid()");
  OpenPostgres second = open(address);
  const auto late = first->store->append(Store::empty_conversation("d"), {"late"});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kFailedPrecondition);
  ASSERT_FALSE(fatal_.empty());
  EXPECT_THAT(fatal_.front(), HasSubstr("another Holdfast server"));
  EXPECT_FALSE(first->streams->publish("r", "late", "{}"));
  EXPECT_EQ(second.store->head("d", 0).error().code(), Code::kNotFound);
  ASSERT_TRUE(second.store->append(*second.store->head("c", 0), {"theirs"}));
}

}  // namespace
}  // namespace holdfast::platform
