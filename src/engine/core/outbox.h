#pragma once

// Outbox: what executions owe each other and has not been delivered yet, in the order in which it came to be
// owed. What is owed stands in the sender's state, and is sent again after a crash; a message here only says
// where to look (outbox_delivery.h does). The core owns it; its thread only.

#include <cstdint>
#include <deque>
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
  // Everything that the execution owes. Also what was put before and has not been delivered: deliveries are
  // idempotent.
  void put_all_of(const RunKey& from, const stored::ExecutionState& state);
  void put(OutboxMessage message) { messages_.push_back(std::move(message)); }
  // The oldest, or nothing.
  std::optional<OutboxMessage> take();

 private:
  std::deque<OutboxMessage> messages_;
};

}  // namespace holdfast::engine
