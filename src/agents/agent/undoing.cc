#include "agent/undoing.h"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

// Of many undoings with all their attempts.
constexpr std::chrono::hours kLongestStretch{24};
// So many calls of items that stand are named.
constexpr std::size_t kMostWords = 10;

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

// Of one undoing with all its attempts.
ActivityOptions options_for(const Undoable& effect) {
  return ActivityOptions()
      .task_queue(kToolQueue)
      .start_to_close(milliseconds(effect.timeout_ms) + seconds(5))
      .heartbeat(kHeartbeatTimeout)
      .retry(retry_policy(effect.retry));
}

// Of many: each has its own attempts in there.
ActivityOptions options_for_items() {
  return ActivityOptions()
      .task_queue(kToolQueue)
      .start_to_close(kLongestStretch)
      .heartbeat(kHeartbeatTimeout);
}

// Why calls of items stand: some of them, and how many others do.
std::string joined(const std::vector<std::string>& some, std::uint64_t all) {
  std::string out = fmt::format("{}", fmt::join(some, "; "));
  if (all > some.size()) out += fmt::format("; and {} more", all - some.size());
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
Task<Outcome<UndoTryResult>> Undoing::try_to_undo(workflow::Context* ctx, UndoTryInput in,
                                                  ActivityOptions options) {
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

// One call of an item, of which nobody knows.
Task<std::optional<std::string>> Undoing::take_back_open(workflow::Context* ctx, OpenUndoing open,
                                                         std::uint32_t step) {
  UndoTryInput in;
  in.agent = open.call.agent;
  in.version = open.call.version;
  in.call = open.call.call;
  in.step = step;
  in.again = open.again;
  in.item = open.item;
  const std::string what = fmt::format("{} (item {}): ", in.call.tool, open.item);
  auto trying = try_to_undo(ctx, std::move(in), options_for(open.call));
  Outcome<UndoTryResult> outcome = co_await std::move(trying);
  if (!outcome.ok()) co_return what + root_of(outcome.error()).message();
  const UndoTryResult& ended = outcome.value();
  if (ended.status == UndoStatus::kNothing || ended.status == UndoStatus::kUndone) co_return std::nullopt;
  co_return what + ended.note;
}

// A stretch in each activity, from the last item on.
Task<std::optional<std::string>> Undoing::take_back_items(workflow::Context* ctx, Undoable group,
                                                          std::uint32_t step) {
  const ActivityOptions options = options_for_items();
  UndoItemsInput in;
  in.calls = group;
  in.tries_again = tries_again_;
  const std::size_t place = undone_.size();
  std::uint64_t stand = 0;
  std::vector<std::string> words;
  const auto stands = [&](std::string why) {
    ++stand;
    if (words.size() < kMostWords) words.push_back(std::move(why));
  };
  do {
    was_stopped_ = was_stopped_ || (stops_ && stops_());
    if (was_stopped_) {
      stands("the undoing was cancelled");
      break;
    }
    Outcome<UndoItemsResult> outcome =
        co_await attempt(ctx->activity<UndoItemsResult>(kUndoItemsActivity, options, in));
    if (!outcome.ok()) {
      stands(root_of(outcome.error()).message());
      break;
    }
    UndoItemsResult stretch = std::move(outcome).value();
    for (std::string& one : stretch.words) stands(std::move(one));
    stand += stretch.stand - stretch.words.size();
    in.told += stretch.undone;
    if (stretch.open) {
      auto why = co_await take_back_open(ctx, *stretch.open, step);
      if (why) stands(*std::move(why));
      if (!why) ++in.told;
    }
    undone_.resize(in.told > 0 ? place + 1 : place);
    if (in.told > 0) undone_[place] = fmt::format("{}: {} calls", words_of(group), in.told);
    in.before = stretch.next;
  } while (*in.before > 0);
  if (stand == 0) co_return std::nullopt;
  standing_.push_back(std::move(group));
  co_return joined(words, stand);
}

Task<std::optional<std::string>> Undoing::take_back(workflow::Context* ctx, Undoable effect,
                                                    std::uint32_t step, std::uint32_t again) {
  if (effect.items) {
    open_ = effect;
    auto why = co_await take_back_items(ctx, std::move(effect), step);
    open_.reset();
    co_return why;
  }
  UndoTryInput in;
  in.agent = effect.agent;
  in.version = effect.version;
  in.call = effect.call;
  in.step = step;
  in.again = again;
  open_ = effect;
  auto trying = try_to_undo(ctx, std::move(in), options_for(effect));
  Outcome<UndoTryResult> outcome = co_await std::move(trying);
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
