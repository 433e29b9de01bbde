// Taking effects back: a run that does not succeed undoes what can be undone, the last call first. One call
// at a time, each an activity under a key of its own, so that a killed server goes on behind the last one
// that was undone; what cannot be undone is named in the run's end.

#include <algorithm>

#include <fmt/format.h>

#include "agent/failures.h"
#include "agent/loop.h"
#include "protocol/names.h"

namespace holdfast::agent {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Calls that were cancelled end in their own time; then the ledger says what became of them.
constexpr std::chrono::minutes kLongestEnding{10};

}  // namespace

// Before the call: what becomes of it may be known to the ledger alone.
void Loop::remember_effect(const PlannedCall& call) {
  if (call.undo.is_null()) return;
  Undoable effect;
  effect.agent = progress_.plan.agent;
  effect.version = progress_.plan.version;
  effect.call = call.call;
  effect.timeout_ms = call.undo.value("timeout_ms", std::int64_t{30000});
  effect.retry = call.undo.value("retry", Json::object());
  progress_.undoable.push_back(std::move(effect));
}

void Loop::forget_effect(const std::string& key) {
  std::erase_if(progress_.undoable, [&](const Undoable& effect) { return effect.call.key == key; });
}

Task<std::vector<std::string>> Loop::undo_effects() {
  phase_ = "undoing";
  auto ended = [this] { return running_tools_ == 0; };
  co_await ctx_.wait_for(ended, kLongestEnding);
  std::vector<std::string> left;
  while (!progress_.undoable.empty()) {
    Undoable effect = progress_.undoable.back();
    progress_.undoable.pop_back();
    const std::string what = fmt::format("{} (step {})", effect.call.tool, effect.call.step);
    auto why = co_await undo_effect(std::move(effect));
    if (why) left.push_back(what + ": " + *why);
  }
  co_return left;
}

// Why it stands; none: it does not.
Task<std::optional<std::string>> Loop::undo_effect(Undoable effect) {
  EffectInput in;
  in.agent = effect.agent;
  in.version = effect.version;
  in.call = effect.call;
  in.step = ++progress_.step;
  auto options = ActivityOptions()
                     .task_queue(kToolQueue)
                     .start_to_close(milliseconds(effect.timeout_ms) + seconds(5))
                     .heartbeat(kHeartbeatTimeout)
                     .retry(retry_policy(effect.retry));
  Outcome<UndoResult> outcome = co_await attempt(ctx_.activity<UndoResult>(kUndoActivity, options, in));
  if (!outcome.ok()) co_return root_of(outcome.error()).message();
  const UndoResult& result = outcome.value();
  if (result.status == UndoStatus::kUndone)
    undone_.push_back(fmt::format("{} (step {})", effect.call.tool, effect.call.step));
  if (result.status == UndoStatus::kUndone || result.status == UndoStatus::kNothing) co_return std::nullopt;
  co_return result.note;
}

}  // namespace holdfast::agent
