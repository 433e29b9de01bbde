#pragma once

// A whole platform in one process, on real files: engine, platform store, workers, the scripted model behind
// the real model client, a shop database, and an HTTP receiver that counts. With
// HOLDFAST_E2E_ENGINE=temporal://HOST:PORT the engine is that server instead, reached over gRPC: the same
// tests then prove that agents know only the protocol. With HOLDFAST_E2E_POSTGRES=1 the platform store is in
// a schema of a PostgreSQL that the tests start.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "activities/deploy.h"
#include "activities/limits_file.h"
#include "activities/register.h"
#include "api/connection.h"
#include "broker/broker.h"
#include "connect/grpc_connection.h"
#include "engine/engine.h"
#include "fixture/temporary_directory.h"
#include "grant/grants.h"
#include "holdfast/client.h"
#include "net/server.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"
#include "price/price_table.h"
#include "scripted/server.h"
#include "store/rocks_store.h"

namespace holdfast::e2e {

using agent::Json;

// Counts what arrives, answers "ok" unless told otherwise; the same key twice is one effect.
class Receiver {
 public:
  Receiver();
  std::string url(const std::string& path) const;
  int deliveries() const;
  int effects() const;
  std::vector<std::string> bodies() const;
  // Status and body for the nth delivery (from 1); status 0 answers nothing at all.
  std::function<std::pair<int, std::string>(int nth)> answer;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> bodies_;     // guarded by mutex_
  std::map<std::string, int> keys_;     // guarded by mutex_
  std::vector<net::Responder> silent_;  // guarded by mutex_: never answered
  std::unique_ptr<net::Server> server_;
};

// The machine's clock, which a test may move on: what waits for a time has not to be waited for.
class SkippingClock final : public Clock {
 public:
  WallTime now() const override { return clock_.now() + std::chrono::nanoseconds(skipped_ns_.load()); }
  MonotonicTime monotonic() const override { return clock_.monotonic(); }
  void skip(std::chrono::nanoseconds time) { skipped_ns_ += time.count(); }

 private:
  os::SystemClock clock_;
  std::atomic<std::int64_t> skipped_ns_ = 0;
};

class Platform {
 public:
  // `script`: the scripted model's replies.
  explicit Platform(const std::string& script);
  ~Platform();

  // The agent with the tools below; `extra` goes into spec (approvals, limits), `tools` behind the standard
  // tools.
  //   lookup(order_id): SELECT; refund(order_id, amount): INSERT, asks above 100; note(text): POST,
  //   idempotent
  void deploy(const std::string& name, const std::string& extra = {}, const std::string& tools = {},
              const std::string& model_extra = {});
  std::string run_id(const std::string& name) const { return name + "-" + suffix_; }
  WorkflowHandle start(const std::string& agent, const std::string& input);
  // Goes on in `conversation`, under the id run_id(name).
  WorkflowHandle go_on(const std::string& agent, const std::string& input, const std::string& conversation,
                       const std::string& name);
  // The result, or a test failure.
  agent::RunResult finish(const WorkflowHandle& run);
  // With HOLDFAST_RECORD_DIR set: writes the history there, for tests/agent_replay. finish() does it, too.
  void record(const WorkflowHandle& run);
  Json status(const WorkflowHandle& run);
  // Waits until the run asks and gives the pending approval; not the one with the id `answered`.
  Json wait_for_approval(const WorkflowHandle& run, const std::string& answered = {});
  Result<Outcome<Json>> decide(const WorkflowHandle& run, const Json& decision);
  // Ada says something to a run that is under way.
  Result<Outcome<Json>> send(const WorkflowHandle& run, const std::string& text, const std::string& id);

  // "role: text" of each message.
  std::vector<std::string> conversation(const std::string& run);
  std::vector<platform::Event> events(const std::string& run);
  int count_events(const std::string& run, std::string_view type);
  Json query_shop(const std::string& sql);

  // Before a run that uses it.
  void allow(const std::string& grant);
  // A worker of somebody else's, not started yet.
  std::unique_ptr<Worker> new_worker(const std::string& queue);

  void start_workers();
  void stop_workers();
  // Moves the clock of engine, stores and workers on.
  void skip(std::chrono::nanoseconds time);

  // Of the workers that are started from now on.
  agent::ModelLimits model_limits;
  std::size_t model_slots = 16;
  // What models cost; before the first run.
  price::PriceTable prices = price::PriceTable::builtin();
  std::string provider = "openai";  // of the agents that are deployed from now on
  std::unique_ptr<model::ScriptedServer> scripted;
  std::unique_ptr<Receiver> receiver;
  platform::Store& store() { return *stores_.store; }
  Client& client() { return *client_; }

 private:
  SkippingClock clock_;
  os::SystemRandom random_;
  std::string suffix_;
  fixture::TemporaryDirectory directory_;
  Environment environment_;
  os::ThreadExecutor http_loop_{"e2e-http"};
  os::ThreadExecutor flusher_{"e2e-flush"};
  std::unique_ptr<net::HttpClient> http_;
  MemoryBudget sql_memory_{"SQL statements", 128 << 20};
  Result<sandbox::Reply> evaluate(std::string_view tenant, const sandbox::Request& request,
                                  std::chrono::milliseconds patience);

  MemoryBudget sandbox_memory_{"the sandbox", 512 << 20};
  std::mutex sandbox_mutex_;
  std::unique_ptr<sandbox::Broker> sandbox_;  // guarded by sandbox_mutex_; started for the first code
  std::unique_ptr<model::Gate> gate_;
  std::unique_ptr<model::Breakers> breakers_;
  grant::Grants grants_{[](const char* name) -> const char* { return std::getenv(name); }};
  void open_stores();

  platform::OpenStores stores_;
  std::unique_ptr<store::RocksStore> rocks_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<rpc::GrpcConnection> remote_;
  api::Connection* connection_ = nullptr;
  std::unique_ptr<Client> client_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

// Polls until the condition holds; false after `at_most`.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds at_most = std::chrono::seconds(20));

// Waits until the run has a timer that has not fired; asked before the clock is moved. The length of a timer
// is reckoned by the worker and begins when the engine has it: a clock that is moved between the two puts the
// timer off by as much.
bool sleeps(const WorkflowHandle& run);

}  // namespace holdfast::e2e
