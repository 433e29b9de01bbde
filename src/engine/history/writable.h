#pragma once

// The key to the record, for the operations of this room alone: what follows from no event (attempts,
// heartbeat details, the workflow task that is not written, stickiness, what is owed to others) they write
// here. What follows from an event is written by its apply function and nobody else.

#ifndef HOLDFAST_HISTORY_ROOM
#error "history/writable.h: only src/engine/history writes the record of an execution"
#endif

#include "history/mutable_state.h"

namespace holdfast::history {

inline Record& writable(MutableState& ms) {
  return ms.record_;
}

}  // namespace holdfast::history
