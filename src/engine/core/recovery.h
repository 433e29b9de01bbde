#pragma once

// Recovery: opening the store. Version check, the new epoch, namespaces, and the executions that need
// attention: what could go on now is loaded, of the rest only the time is noted. The core runs it once,
// before anything else; its thread only. kFailedPrecondition: written by a newer version.

#include <cstdint>
#include <functional>

#include "engine/core.h"
#include "engine/run.h"
#include "history/stored.h"
#include "holdfast/status.h"
#include "store/kv_store.h"

namespace holdfast::engine {

class Batches;
class CoreClock;
struct EngineLimits;
class Namespaces;
class NewIds;
class Outbox;
class OutboxDelivery;
class Rows;
class RunCache;
class Transitions;
class WakeTimes;

class Recovery {
 public:
  Recovery(const EngineLimits& limits, const CoreClock& clock, NewIds& ids, const store::KvStore& store,
           Rows& rows, stored::StoreMeta& meta, Namespaces& namespaces, WakeTimes& wakes, Batches& batches,
           RunCache& cache, Outbox& outbox, Transitions& transitions, OutboxDelivery& delivery)
      : limits_(limits),
        clock_(clock),
        ids_(ids),
        store_(store),
        rows_(rows),
        meta_(meta),
        namespaces_(namespaces),
        wakes_(wakes),
        batches_(batches),
        cache_(cache),
        outbox_(outbox),
        transitions_(transitions),
        delivery_(delivery) {}

  // As EngineCore::open().
  Status open(std::uint64_t feed_applied, const std::function<Result<UsedSearchAttributes>()>& used);

 private:
  Status load_meta();
  Status load_namespaces();
  // Namespaces of versions without a registry get one, of what their runs use.
  Status register_used(const std::function<Result<UsedSearchAttributes>()>& used);
  Status open_feed(std::uint64_t applied);
  void recover(const RunKey& key);
  bool give_back_tasks(MutableState& ms);
  bool holder_is_gone(std::int64_t epoch) const;

  const EngineLimits& limits_;
  const CoreClock& clock_;
  NewIds& ids_;
  const store::KvStore& store_;
  Rows& rows_;
  stored::StoreMeta& meta_;
  Namespaces& namespaces_;
  WakeTimes& wakes_;
  Batches& batches_;
  RunCache& cache_;
  Outbox& outbox_;
  Transitions& transitions_;
  OutboxDelivery& delivery_;
  bool copied_ = false;  // of another store: nobody holds a task of this one
};

}  // namespace holdfast::engine
