#pragma once

// The engine core with a disk that takes time and a process that dies. Batches are committed in order, one at
// a time; while one is being synced the core works on. A crash loses the core and every batch whose sync had
// not ended, but for those that the disk happened to have taken already; nobody hears of them.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/core.h"
#include "engine/expired_runs.h"
#include "engine/stored_law.h"
#include "sim/faulty_calls.h"
#include "sim/faulty_disk.h"
#include "sim/planted_bug.h"
#include "sim/world.h"

namespace holdfast::sim {

class Oracle;

class Server {
 public:
  Server(World& world, Oracle& oracle, engine::CoreOptions options, std::uint64_t seed,
         PlantedBug bug = PlantedBug::kNone);
  ~Server();

  // Recovers from the disk. A message about it on failure.
  Status boot();
  bool up() const { return core_ != nullptr; }
  // Every open call dies unanswered.
  void crash();
  std::uint64_t crashes() const { return crashes_; }

  using Answer = std::move_only_function<void(Result<api::MessagePtr>)>;
  // A call that arrived; `answer` runs when its answer leaves the process, or never. `in_process`: from the
  // worker that lives in the server's process and dies with it; what it hears has left nothing.
  void receive(api::Method method, api::MessagePtr request, Answer answer, bool in_process = false);
  // The answer to this poll, which identified itself so, found nobody.
  void undelivered(api::Method method, const std::string& identity, const api::Message& answer);
  // `job` runs once, when the n-th call from now has been taken in.
  void after_calls(std::int64_t n, std::function<void()> job) { countdown_ = n, counted_ = std::move(job); }
  // Rows of executions on the disk: states, histories, tables of them.
  int execution_rows() const;
  // The wall clock jumped.
  void rearm() { arm(); }

 private:
  void pump();
  void arm();
  void start_commit();
  // The sweep's next look, in a while: a slice of what is over, or another round later.
  void plan_sweep(std::int64_t delay_ns);
  // On the disk; what it holds then must be lawful.
  Status commit(const store::WriteBatch& batch);
  void run(std::vector<engine::Release>& releases);

  World& world_;
  Oracle& oracle_;
  engine::CoreOptions options_;
  SimRandom random_;  // the engine's own
  SimRandom dice_;    // ours
  PlantedBug bug_;
  FaultyCalls calls_;
  FaultyDisk disk_;
  engine::testing::StoredLaw law_{disk_};
  std::unique_ptr<engine::EngineCore> core_;
  std::unique_ptr<engine::ExpiredRuns> expired_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t armed_ = 0;
  std::uint64_t crashes_ = 0;
  std::deque<engine::Output> syncing_;
  bool commit_running_ = false;
  bool pump_planned_ = false;
  std::int64_t countdown_ = 0;
  std::function<void()> counted_;
};

}  // namespace holdfast::sim
