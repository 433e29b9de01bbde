#pragma once

// Takes one effect back, for whoever answers for it: the run that had it, a flow that called that run, a run
// that does nothing else. An activity under a key of its own, so that a killed server goes on behind the last
// one; the ledger says what became of the call. Deterministic workflow code.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/workflow.h"
#include "protocol/activities.h"
#include "protocol/steering.h"
#include "protocol/undo.h"

namespace holdfast::agent {

// A call, as people are told it: "pay (step 3)".
std::string words_of(const protocol::Undoable& effect);

// What may have been done, while it is taken back, the last call first.
class Undoing {
 public:
  // What stands, and why, for people; `effects` is empty afterwards. `step` numbers the undoings on.
  Task<std::vector<std::string>> take_back_all(workflow::Context* ctx,
                                               std::vector<protocol::Undoable>* effects, std::uint32_t* step);
  // One; why it stands, or none. `ctx` outlives it. `again`: so many undoings of it have failed before.
  Task<std::optional<std::string>> take_back(workflow::Context* ctx, protocol::Undoable effect,
                                             std::uint32_t step, std::uint32_t again = 0);

  // Asks a person whether an undoing that perhaps took effect is made again. Without: it stands.
  using Ask = std::function<Task<bool>(protocol::ApprovalInput)>;
  void ask_with(Ask ask) { ask_ = std::move(ask); }

  // Of calls of items, which are many: those whose undoing failed before are tried anew, under keys of their
  // own.
  void try_again() { tries_again_ = true; }
  // Asked between stretches of them: true leaves what is left.
  void stop_when(std::function<bool()> stops) { stops_ = std::move(stops); }
  bool was_stopped() const { return was_stopped_; }

  // Calls that were taken back, for people.
  const std::vector<std::string>& undone() const { return undone_; }
  // Behind what nobody has begun to take back: what was not, in the order of the calls.
  std::vector<protocol::Undoable> with_standing(std::vector<protocol::Undoable> effects) const;

 private:
  Task<Outcome<protocol::UndoTryResult>> try_to_undo(workflow::Context* ctx, protocol::UndoTryInput in,
                                                     ActivityOptions options);
  Task<std::optional<std::string>> take_back_items(workflow::Context* ctx, protocol::Undoable group,
                                                   std::uint32_t step);
  Task<std::optional<std::string>> take_back_open(workflow::Context* ctx, protocol::OpenUndoing open,
                                                  std::uint32_t step);

  Ask ask_;
  bool tries_again_ = false;
  std::function<bool()> stops_;
  bool was_stopped_ = false;
  std::vector<std::string> undone_;
  std::optional<protocol::Undoable> open_;
  std::vector<protocol::Undoable> standing_;  // the last call first
};

}  // namespace holdfast::agent
