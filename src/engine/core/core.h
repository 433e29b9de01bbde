#pragma once

// EngineCore: the engine as a single-threaded, deterministic machine. It takes calls and the time, and
// produces write batches and what may leave the process once they are durable. It starts no thread, waits for
// nothing and touches nothing but the store it reads from; the host (engine.h) and the simulator drive it
// alike:
//
//   core.submit(call); core.tick();            any number of times
//   for (auto& release : core.take_early()) release.run();   at once: law 3's exception
//   Output output = core.take_output();        one batch
//   store.commit(output.batch);                synced
//   core.committed(output.sequence);           what it pinned may go
//   for (auto& release : output.releases) release.run();
//
// State runs ahead of durability: the core goes on working while a batch is being synced. Outputs must be
// committed in the order they were taken; the releases of an empty batch wait for the batches before it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/connection.h"
#include "api/messages.h"
#include "engine/options.h"
#include "engine/run_key.h"
#include "engine/sweep_slice.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "store/kv_store.h"

namespace holdfast::engine {

using CallId = std::uint64_t;

struct Call {
  CallId id = 0;  // given by submit()
  api::Method method{};
  api::MessagePtr request;
  api::CallOptions options;
  api::Completion done;
  bool large = false;  // places of large payloads stand in it (large_stager.h)
};

// An answer. Running it needs no lock and no thread in particular.
struct Release {
  api::Completion done;
  Executor* executor = nullptr;
  Result<api::MessagePtr> result = api::MessagePtr();

  void run();
};

struct DeletedRun {
  std::string namespace_name;
  RunKey key;
};

struct Output {
  std::uint64_t sequence = 0;
  store::WriteBatch batch;
  std::vector<Release> releases;
  // Visibility feed rows in this batch: sequences [feed_begin, feed_end). Equal: none.
  std::uint64_t feed_begin = 0;
  std::uint64_t feed_end = 0;
  // What goes to the index once the batch is durable, so that nobody has to read the rows back.
  struct FeedRow {
    std::uint64_t sequence = 0;
    std::string namespace_id;
    std::string info{};    // temporal.api.workflow.v1.WorkflowExecutionInfo; empty: the run is gone
    std::string run_id{};  // of one that is gone
  };
  std::vector<FeedRow> feed;
  // Calls that the host answers itself when this batch is durable: List and Count wait for the index.
  struct VisibilityCall {
    enum class Kind : std::uint8_t { kList, kCount } kind{};
    Call call;
    std::string namespace_id;
    std::string query;
    std::int32_t page_size = 0;                                          // a list's
    std::string page_token{};                                            // a list's
    std::map<std::string, enums::IndexedValueType> search_attributes{};  // the namespace's own
  };
  std::vector<VisibilityCall> visibility_calls;
  // Runs that are no more when this batch is durable.
  std::vector<DeletedRun> deleted;
  bool deletion_asked = false;  // there is something for the sweep to find
  bool swept = false;           // the slices of the sweep are part of this batch
  bool empty() const { return batch.empty() && releases.empty() && visibility_calls.empty(); }
};

// By namespace id: search attributes that runs have, with their types.
using UsedSearchAttributes = std::map<std::string, std::map<std::string, enums::IndexedValueType>>;

class EngineCore {
 public:
  // Everything is owned by the caller and outlives the core.
  EngineCore(CoreOptions options, const Clock& clock, Random& random, const store::KvStore& store);
  ~EngineCore();
  EngineCore(const EngineCore&) = delete;
  EngineCore& operator=(const EngineCore&) = delete;

  // Once, before anything else: reads the store's meta row, bumps the epoch, creates the namespace `default`.
  // Ticks then find the executions that need attention. The first output holds the new epoch: commit it
  // before the first call. kFailedPrecondition: written by a newer version; kDataLoss: what all depends on
  // cannot be read. `feed_applied`: what the visibility index has seen. `used` is asked when the store comes
  // from a version without a registry of search attributes.
  Status open(std::uint64_t feed_applied = 0, const std::function<Result<UsedSearchAttributes>()>& used = {});

  // Returns an id for cancel(). The call may be answered at once (into the output) or parked.
  CallId submit(Call call);
  // Answers a parked call with kCancelled; nothing if it was answered.
  void cancel(CallId id);
  // The answer to a call of this method reached nobody: the tasks that it handed over are taken back.
  void undelivered(api::Method method, const api::Message& answer);
  // Lets time pass, and does a slice of what is to be done: timers, timeouts, polls that end, messages
  // between executions, what a restart has to bring back. Call when next_deadline() has come, which is at
  // once while there is more.
  void tick();
  // Nanoseconds since the epoch; 0: nothing is due, or nothing more before take_output().
  std::int64_t next_deadline() const;

  // Not OK: something can no longer be read without which executions would stand still, and nobody would
  // know. The host stops.
  const Status& broken() const;

  bool has_output() const;
  Output take_output();
  void committed(std::uint64_t sequence);
  std::vector<Release> take_early();
  // Workflow tasks handed out early whose completion has not come back: waiting a moment saves a sync.
  std::size_t early_tasks_out() const;
  // Somebody goes on only when the next output is durable. Otherwise it holds what nobody asks about: it may
  // wait longer, for what follows from it.
  bool output_is_awaited() const;

  // The index has durably applied the feed up to here: the rows go with a later batch.
  void visibility_applied(std::uint64_t sequence);

  // Deletes what a sweep has found (expired_runs.h); the next output says when it is done.
  void sweep(SweepSlice slice);

  // Ends every parked call with kUnavailable; used at shutdown.
  void close();

  std::int64_t epoch() const;
  // What places of large payloads are signed with.
  std::string slot_key() const;
  // Whether there may be any.
  bool has_large_payloads() const;
  // Executions in memory; for tests and `doctor`.
  std::size_t cached_executions() const;
  // Time has passed, about ten seconds each: executions that nobody has asked for lately leave memory.
  void age();
  // Some of them. True: there may be more.
  bool let_idle_go();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::engine
