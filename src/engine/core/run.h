#pragma once

// An execution as the core holds it in memory: its state, the tail of its history, and whoever waits for it.
// Owned by the core's cache; the core's thread only.

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/core.h"
#include "engine/run_key.h"
#include "history/mutable_state.h"

namespace holdfast::engine {

using history::MutableState;
using history::Ns;
namespace stored = history::stored;
using History = pb::history::v1::History;
using Event = history::Event;

// What a request calls a run. No run id: the current one. With `first_run_id`, it must belong to the chain
// that began with that run. Views into the request.
struct RunName {
  const std::string& workflow_id;
  const std::string& run_id;
  const std::string& first_run_id;
};

inline RunName named(const pb::common::v1::WorkflowExecution& execution) {
  static const std::string kAnyChain;
  return {execution.workflow_id(), execution.run_id(), kAnyChain};
}

// One stored row of history. Pages never change once they are made.
struct Page {
  std::int64_t first_event_id = 0;
  std::shared_ptr<const History> events;
  std::size_t bytes = 0;    // in memory
  std::uint64_t batch = 0;  // that makes it durable
};

struct Query {
  CallId call = 0;
  pb::query::v1::WorkflowQuery query;
  enum class State : std::uint8_t { kBuffered, kWithTask, kDirect } state = State::kBuffered;
};

struct Run {
  Run(RunKey k, std::unique_ptr<MutableState> state) : key(std::move(k)), ms(std::move(state)) {}

  RunKey key;
  std::unique_ptr<MutableState> ms;
  std::deque<Page> pages;  // a gapless tail of the history; older pages are in the store only
  std::size_t page_bytes = 0;
  std::size_t state_bytes = 0;   // in memory, as it was last read or written
  bool dirty = false;            // in the core's list for the next batch
  bool feed_pending = false;     // lists have to be told
  std::uint64_t last_batch = 0;  // the last batch with changes of it
  bool early_out = false;        // its workflow task went out before it was durable
  bool task_held = false;        // its workflow task waits for more of its deadlines, which have come
  std::list<Run*>::iterator lru;
  std::uint64_t used = 0;  // the cache's age when somebody last asked for it
  std::set<std::pair<std::int64_t, CallId>> history_waiters;  // by the event that each waits for
  std::set<CallId> update_waiters;
  std::map<std::string, Query> queries;

  // Whether a deadline of it has come.
  bool is_due(Ns now) const {
    const Ns at = ms->running() ? ms->next_deadline().at : 0;
    return at != 0 && at <= now;
  }
  bool waited_for() const { return !history_waiters.empty() || !update_waiters.empty() || !queries.empty(); }
};

}  // namespace holdfast::engine
