#include "agent/undoing.h"

#include <utility>

#include <fmt/format.h>

#include "agent/failures.h"
#include "holdfast/options.h"
#include "protocol/activities.h"
#include "protocol/names.h"

namespace holdfast::agent {

using namespace protocol;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string words_of(const Undoable& effect) {
  return fmt::format("{} (step {})", effect.call.tool, effect.call.step);
}

std::vector<Undoable> Undoing::with_standing(std::vector<Undoable> effects) const {
  if (open_) effects.push_back(*open_);
  effects.insert(effects.end(), standing_.rbegin(), standing_.rend());
  return effects;
}

Task<std::vector<std::string>> Undoing::take_back_all(workflow::Context* ctx, std::vector<Undoable>* effects,
                                                      std::uint32_t* step) {
  std::vector<std::string> left;
  while (!effects->empty()) {
    Undoable effect = std::move(effects->back());
    effects->pop_back();
    const std::string what = words_of(effect);
    auto why = co_await take_back(ctx, std::move(effect), ++*step);
    if (why) left.push_back(what + ": " + *why);
  }
  co_return left;
}

Task<std::optional<std::string>> Undoing::take_back(workflow::Context* ctx, Undoable effect,
                                                    std::uint32_t step) {
  EffectInput in;
  in.agent = effect.agent;
  in.version = effect.version;
  in.call = effect.call;
  in.step = step;
  auto options = ActivityOptions()
                     .task_queue(kToolQueue)
                     .start_to_close(milliseconds(effect.timeout_ms) + seconds(5))
                     .heartbeat(kHeartbeatTimeout)
                     .retry(retry_policy(effect.retry));
  open_ = effect;
  Outcome<UndoResult> outcome = co_await attempt(ctx->activity<UndoResult>(kUndoActivity, options, in));
  open_.reset();
  if (outcome.ok() && outcome.value().status == UndoStatus::kNothing) co_return std::nullopt;
  if (outcome.ok() && outcome.value().status == UndoStatus::kUndone) {
    undone_.push_back(words_of(effect));
    co_return std::nullopt;
  }
  standing_.push_back(std::move(effect));
  co_return outcome.ok() ? outcome.value().note : root_of(outcome.error()).message();
}

}  // namespace holdfast::agent
