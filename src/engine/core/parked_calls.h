#pragma once

// ParkedCalls: the calls that wait, for a task, for events, for a stage of an update, for a query's result,
// each until its deadline. Whom a call waits for holds its id (matching for polls, the run for all others);
// who takes a call out tells them. Bounded: whether there is room is asked before a call is parked, and polls
// of workers have their own, so that no number of clients that wait keeps a worker from its tasks. The core
// owns it; its thread only.

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "api/messages.h"
#include "engine/core.h"
#include "engine/run.h"

namespace holdfast::engine {

// From where on a history is read, and how.
struct HistoryRead {
  std::int64_t next_event_id = 1;
  std::int64_t page_events = 0;
  bool close_only = false;
  bool wait = false;    // for news, if there is none
  bool waited = false;  // an earlier page of this read did

  // The event that it waits for; of the end nobody knows which it will be.
  std::int64_t awaited_event_id() const {
    return close_only ? std::numeric_limits<std::int64_t>::max() : next_event_id;
  }
};

struct Parked {
  enum class Kind : std::uint8_t {
    kWorkflowPoll,
    kActivityPoll,
    kNexusPoll,
    kHistory,
    kUpdate,
    kQuery
  } kind{};
  Call call;
  Ns deadline_ns = 0;
  RunKey run;                       // not for polls
  std::string identity;             // polls
  std::string worker_instance_key;  // polls
  HistoryRead history;
  std::string update_id;
  enums::UpdateWorkflowExecutionLifecycleStage stage{};
  std::string query_id;

  bool poll() const {
    return kind == Kind::kWorkflowPoll || kind == Kind::kActivityPoll || kind == Kind::kNexusPoll;
  }
};

class ParkedCalls {
 public:
  ParkedCalls(std::size_t most_polls, std::size_t most_waits)
      : most_polls_(most_polls), most_waits_(most_waits) {}

  bool full_of_polls() const { return polls_ >= most_polls_; }
  bool full_of_waits() const { return parked_.size() - polls_ >= most_waits_; }
  std::size_t size() const { return parked_.size(); }

  // Under the id of its call, which is returned.
  CallId park(Parked parked);
  // Null: answered meanwhile, or never parked.
  Parked* find(CallId id);
  std::optional<Parked> take(CallId id);
  // One whose deadline has come, the earliest first; then one of those that are left, for the end.
  std::optional<Parked> take_due(Ns now);
  std::optional<Parked> take_any();
  // 0: nothing waits.
  Ns next_deadline() const { return deadlines_.empty() ? 0 : deadlines_.begin()->first; }

 private:
  const std::size_t most_polls_;
  const std::size_t most_waits_;
  std::size_t polls_ = 0;  // of the parked
  std::unordered_map<CallId, Parked> parked_;
  std::set<std::pair<Ns, CallId>> deadlines_;
};

}  // namespace holdfast::engine
