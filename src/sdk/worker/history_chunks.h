#pragma once

// Cuts a history into the pieces that were seen by one workflow task each. A piece ends with the
// WorkflowTaskStarted of a task that was not failed or timed out afterwards; what follows the last such event
// is a piece without an end.

#include <cstdint>
#include <vector>

#include "worker/machine.h"

namespace holdfast::worker {

class Chunk {
 public:
  Chunk() = default;
  std::vector<const HistoryEvent*> events;
  const HistoryEvent* started = nullptr;  // null: the last piece, not ended
};

using Events = google::protobuf::RepeatedPtrField<HistoryEvent>;

// The pieces of those events whose id is beyond `after_event_id`. They point into `events`.
std::vector<Chunk> chunk_history(const Events& events, std::int64_t after_event_id);

}  // namespace holdfast::worker
