#include "agent/undoing.h"

#include <utility>

#include <fmt/format.h>

#include "agent/failures.h"
#include "agent/undoable.h"
#include "holdfast/options.h"
#include "protocol/activities.h"
#include "protocol/names.h"

namespace holdfast::agent {

using namespace protocol;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

ApprovalInput question_of(const UndoTryInput& in, const UndoTryResult& unknown) {
  ApprovalInput out;
  out.id = fmt::format("ap-undo-{}-{}", in.call.key.substr(0, 24), in.again);
  out.agent = in.agent;
  out.version = in.version;
  out.call = in.call;
  out.call.step = in.step;
  out.arguments_sha256 = unknown.arguments_sha256;
  out.reason = fmt::format(
      "EffectUnknown: this call is being taken back, and {}. Approve to take it back again, reject to leave "
      "it",
      unknown.note);
  return out;
}

}  // namespace

std::string words_of(const Undoable& effect) {
  return fmt::format("{} (step {})", effect.call.tool, effect.call.step);
}

Undoable undoable_of(const std::string& agent, const std::string& version, const CallRef& call,
                     const Json& undo) {
  Undoable out;
  out.agent = agent;
  out.version = version;
  out.call = call;
  out.timeout_ms = undo.value("timeout_ms", std::int64_t{30000});
  out.retry = undo.value("retry", Json::object());
  return out;
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

// Until it is known what became of it, or nobody can say.
Task<Outcome<UndoTryResult>> Undoing::try_to_undo(workflow::Context* ctx, UndoTryInput in) {
  auto options = ActivityOptions()
                     .task_queue(kToolQueue)
                     .start_to_close(milliseconds(open_->timeout_ms) + seconds(5))
                     .heartbeat(kHeartbeatTimeout)
                     .retry(retry_policy(open_->retry));
  while (true) {
    Outcome<UndoTryResult> outcome =
        co_await attempt(ctx->activity<UndoTryResult>(kUndoActivity, options, in));
    if (!outcome.ok() || outcome.value().status != UndoStatus::kUnknown) co_return outcome;
    const UndoTryResult& unknown = outcome.value();
    if (unknown.ask_after_ms > 0) {
      co_await ctx->sleep(milliseconds(unknown.ask_after_ms), "reconcile the undoing of " + in.call.tool);
      in.ask = true;
      continue;
    }
    if (!ask_ || unknown.arguments_sha256.empty()) co_return outcome;
    auto asking = ask_(question_of(in, unknown));
    const bool is_made_again = co_await std::move(asking);
    if (!is_made_again) co_return outcome;
    ++in.again;
    in.ask = false;
  }
}

Task<std::optional<std::string>> Undoing::take_back(workflow::Context* ctx, Undoable effect,
                                                    std::uint32_t step, std::uint32_t again) {
  UndoTryInput in;
  in.agent = effect.agent;
  in.version = effect.version;
  in.call = effect.call;
  in.step = step;
  in.again = again;
  open_ = effect;
  Outcome<UndoTryResult> outcome = co_await try_to_undo(ctx, std::move(in));
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
