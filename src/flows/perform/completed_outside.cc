// Blocks that somebody outside ends: the call hands out a token, and its end is taken from the platform
// store, where whoever had the token has put it.

#include <fmt/format.h>

#include "activities/activities.h"
#include "base/json.h"
#include "definition/detached.h"
#include "perform/one_activity.h"

namespace holdfast::flows {

using agent::require;
using platform::Completion;
using platform::CompletionState;

namespace {

constexpr std::size_t kIdCharacters = 24;  // of the block's key

std::string json_of(const std::string& text) {
  return parse_json(text).is_discarded() ? dump_json(Json(text)) : text;
}

BlockResult ending_of(const std::optional<Completion>& completion) {
  const auto failed = [](std::string type, std::string message) {
    return std::unexpected(BlockFailure{std::move(type), std::move(message)});
  };
  if (!completion) return failed("CompletionLost", "nobody can complete it: its token is not known any more");
  switch (completion->state) {
    case CompletionState::kCompleted: {
      BlockEnding out;
      out.value = json_of(completion->result);
      return out;
    }
    case CompletionState::kFailed: return failed("CompletionFailed", completion->result);
    case CompletionState::kExpired:
      return failed("CompletionTimeout",
                    "nobody said in time how it ended; it is not known whether it did what it was to do");
    default: return failed("Canceled", "the run ended before it did");
  }
}

}  // namespace

std::string FlowActivities::completion_id(OneActivity& at, std::size_t block) const {
  return at.books.key(block).substr(0, kIdCharacters);
}

bool FlowActivities::is_completed(OneActivity& at, std::size_t block) {
  const auto completion = require(deps_.store->completion(completion_id(at, block)), "the completion");
  return completion &&
         (completion->state == CompletionState::kCompleted || completion->state == CompletionState::kFailed);
}

void FlowActivities::give_token(OneActivity& at, std::size_t block, agent::ToolContext& context) {
  const FlowBlock& spec = at.program.flow.blocks[block];
  platform::CompletionOpening opening;
  opening.id = completion_id(at, block);
  opening.run = at.ctx.info().workflow_id;
  opening.tool = spec.id;
  opening.step = static_cast<std::uint32_t>(block + 1);
  opening.deadline = deps_.clock->now() + spec.deadline;
  const auto opened = require(deps_.store->open_completion(opening), "the completion of the call");
  context.completion_token = opened.token;
  context.completion_url = deps_.public_url + "/api/v1/completions/" + opened.token;
}

// The call has its answer: the block has ended with that only if it failed.
BlockOutcome FlowActivities::handed_out(OneActivity& at, std::size_t block, BlockOutcome outcome) {
  const std::string id = completion_id(at, block);
  if (outcome.failed) {
    require(deps_.store->end_completion(id, CompletionState::kClosed), "the completion of the call");
    at.books.ended(block, outcome);
    return outcome;
  }
  const auto completion = require(deps_.store->completion(id), "the completion of the call");
  at.books.detached(block, id, outcome.value);
  protocol::FlowAwaited& awaits = outcome.awaits.emplace();
  awaits.completion = id;
  // One that is gone is over: whoever asks finds out.
  if (completion) {
    awaits.deadline_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(completion->deadline.time_since_epoch())
            .count();
  }
  return outcome;
}

protocol::FlowBlocksResult FlowActivities::completed(activity::Context& ctx,
                                                     const protocol::FlowCompletedInput& in) {
  const ProgramPtr flow = program(in.flow, in.version, in.item);
  BlockBooks at = books(ctx, *flow);
  if (const auto known = at.find(in.block)) {
    at.tell_again(in.block, *known);
    return ended_as(*flow, in.block, *known);
  }
  const auto as = in.run_ends ? CompletionState::kClosed : CompletionState::kExpired;
  BlockResult ending =
      ending_of(require(deps_.store->end_completion(in.completion, as), "the completion of the call"));
  if (ending) {
    ending->value = at.redacted(std::move(ending->value));
    if (ending->value.size() > kMaxValueBytes) ending = std::unexpected(value_too_large());
  }
  const BlockOutcome outcome = BlockOutcome::of(std::move(ending));
  at.ended(in.block, outcome);
  at.flush();
  return ended_as(*flow, in.block, outcome);
}

}  // namespace holdfast::flows
