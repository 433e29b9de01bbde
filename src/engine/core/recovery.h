#pragma once

// Recovery: opening the store. Version check, the new epoch and namespaces before anything else; then, while
// calls are served already, the executions that need attention: what could go on now is loaded, of the rest
// only the time is noted. The core owns it; its thread only. kFailedPrecondition: written by a newer version.
// kDataLoss: a row that all depends on, or the table of who needs attention, cannot be read.

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "engine/core.h"
#include "engine/run.h"
#include "history/stored.h"
#include "holdfast/status.h"
#include "store/keys.h"
#include "store/kv_store.h"

namespace holdfast::engine {

class Batches;
class CoreClock;
struct EngineLimits;
class Namespaces;
class NewIds;
class Outbox;
class Rows;
class RunCache;
class Transitions;
class WakeTimes;

class Recovery {
 public:
  Recovery(const EngineLimits& limits, const CoreClock& clock, NewIds& ids, const store::KvStore& store,
           Rows& rows, stored::StoreMeta& meta, Namespaces& namespaces, WakeTimes& wakes, Batches& batches,
           RunCache& cache, Outbox& outbox, Transitions& transitions)
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
        transitions_(transitions) {}

  // As EngineCore::open().
  Status open(std::uint64_t feed_applied, const std::function<Result<UsedSearchAttributes>()>& used);
  // At most so many steps of the rest; how many it were.
  int go_on(int most);
  bool done() const { return shard_ == store::keys::kShardCount && ready_.empty(); }
  // The table could be read when the store was opened, and no longer can: the rest stays as it is.
  const Status& broken() const { return broken_; }

 private:
  Status load_meta();
  Status load_namespaces();
  // Namespaces of versions without a registry get one, of what their runs use.
  Status register_used(const std::function<Result<UsedSearchAttributes>()>& used);
  Status open_feed(std::uint64_t applied);
  // Whoever is not found in it would wait for ever: all of it is looked at before the first call.
  Status check_wakes() const;
  Status read_rows();
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
  bool copied_ = false;  // of another store: nobody holds a task of this one
  // How far the recovery index has been read: nothing before open().
  std::uint16_t shard_ = store::keys::kShardCount;
  std::string next_row_;
  std::deque<RunKey> ready_;
  Status broken_;
};

}  // namespace holdfast::engine
