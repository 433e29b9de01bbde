#pragma once

// Takes one effect back, for whoever answers for it: the run that had it, a flow that called that run, a run
// that does nothing else. An activity under a key of its own, so that a killed server goes on behind the last
// one; the ledger says what became of the call. Deterministic workflow code.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/workflow.h"
#include "protocol/steering.h"

namespace holdfast::agent {

// A call, as people are told it: "pay (step 3)".
std::string words_of(const protocol::Undoable& effect);

// What may have been done, while it is taken back, the last call first.
class Undoing {
 public:
  // What stands, and why, for people; `effects` is empty afterwards. `step` numbers the undoings on.
  Task<std::vector<std::string>> take_back_all(workflow::Context* ctx,
                                               std::vector<protocol::Undoable>* effects, std::uint32_t* step);
  // One; why it stands, or none. `ctx` outlives it.
  Task<std::optional<std::string>> take_back(workflow::Context* ctx, protocol::Undoable effect,
                                             std::uint32_t step);

  // Calls that were taken back, for people.
  const std::vector<std::string>& undone() const { return undone_; }
  // Behind what nobody has begun to take back: what was not, in the order of the calls.
  std::vector<protocol::Undoable> with_standing(std::vector<protocol::Undoable> effects) const;

 private:
  std::vector<std::string> undone_;
  std::optional<protocol::Undoable> open_;
  std::vector<protocol::Undoable> standing_;  // the last call first
};

}  // namespace holdfast::agent
