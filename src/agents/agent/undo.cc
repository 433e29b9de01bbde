// Taking effects back: a run that does not succeed undoes what can be undone; what cannot be is named in its
// end (undoing.h).

#include <algorithm>

#include "agent/loop.h"
#include "agent/undoable.h"

namespace holdfast::agent {

namespace {

// Calls that were cancelled end in their own time; then the ledger says what became of them.
constexpr std::chrono::minutes kLongestEnding{10};

}  // namespace

// Before the call: what becomes of it may be known to the ledger alone.
void Loop::remember_effect(const PlannedCall& call) {
  if (call.undo.is_null()) return;
  progress_.undoable.push_back(
      undoable_of(progress_.plan.agent, progress_.plan.version, call.call, call.undo));
}

void Loop::forget_effect(const std::string& key) {
  std::erase_if(progress_.undoable, [&](const Undoable& effect) { return effect.call.key == key; });
}

Task<std::vector<std::string>> Loop::undo_effects() {
  phase_ = "undoing";
  auto ended = [this] { return running_tools_ == 0; };
  co_await ctx_.wait_for(ended, kLongestEnding);
  co_return co_await undoing_.take_back_all(&ctx_, &progress_.undoable, &progress_.step);
}

}  // namespace holdfast::agent
