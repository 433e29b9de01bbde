#pragma once

// A state made again from the history alone: starts empty, and applies every event. The law of this room is
// that this, with what is volatile laid over it, is the state which the decisions left behind, byte for byte;
// tests and the simulator hold every step against it.
//
// The events come from outside (a store, a file): what is wrong with them is an error, never a crash.

#include <string>

#include "history/record.h"
#include "history/stored.h"
#include "holdfast/status.h"

namespace holdfast::history {

class Rebuild {
 public:
  explicit Rebuild(const stored::StartFacts& facts);

  // The next event of the history. INVALID_ARGUMENT: not the next one, or of a type that this engine does not
  // write.
  Status add(const Event& event);
  // What follows from the events so far: without what it holds, and with it.
  const stored::ExecutionState& state() const { return record_.s(); }
  stored::ExecutionState whole() const { return record_.whole(); }
  // In what the rebuilt state, with the volatile part of `state` laid over it, differs from `state`, which is
  // a whole one; or nothing.
  std::string difference(const stored::ExecutionState& state, bool speculative = false) const;

 private:
  Record record_;
};

Result<stored::ExecutionState> rebuild(const stored::StartFacts& facts,
                                       const pb::history::v1::History& history);

}  // namespace holdfast::history
