#pragma once

// Outbox: which executions owe something to others that has not been delivered yet. What is owed stands in
// the sender's state, and is sent again after a crash; here stands only whose turn it is, and how far it has
// got (outbox_delivery.h carries it). Executions take turns, one message each, so that none with thousands of
// children holds up the others. The core owns it; its thread only.

#include <cstdint>
#include <list>
#include <map>
#include <optional>

#include "engine/run.h"

namespace holdfast::engine {

struct OutboxMessage {
  enum class Kind : std::uint8_t {
    kChildStart,      // to the child: be started
    kExternalSignal,  // to any execution
    kExternalCancel,
    kClosed,       // to the parent: the child, `from`, is over
    kParentClose,  // to the child: the parent, `from`, is over, and what its
                   // policy says
  } kind{};
  RunKey from;
  std::int64_t initiated_event_id = 0;  // of the sender's history; not for kClosed
  stored::ChildInfo child{};            // kParentClose
};

class Outbox {
 public:
  // The execution owes what was initiated by its event `since` or later, and, from 0, all that it does. Also
  // what was said before and has not been delivered: deliveries are idempotent.
  void add(const RunKey& from, std::int64_t since = 0);
  bool empty() const { return owing_.empty(); }
  // Whose turn it is; not when empty.
  const RunKey& next() const { return owing_.front().from; }
  // By the state of that execution, the first thing that it owes and has not been taken; the turn passes on.
  // Nothing: it owes no more.
  std::optional<OutboxMessage> take(const MutableState& ms);
  // There is no such execution.
  void drop();

 private:
  struct Owing {
    RunKey from;
    // Event ids of what comes next, of each kind.
    std::int64_t child = 0;
    std::int64_t signal = 0;
    std::int64_t cancel = 0;
    std::int64_t closed = 0;
    std::int64_t parent_close = 0;
  };
  static std::optional<OutboxMessage> next_of(Owing& owing, const MutableState& ms);

  std::list<Owing> owing_;
  std::map<RunKey, std::list<Owing>::iterator> by_run_;
};

}  // namespace holdfast::engine
