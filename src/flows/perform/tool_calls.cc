// A block's call of a tool, under the effect ledger as an agent's: the intent before it, the settlement with
// what it came to behind it, one idempotency key in every attempt, and what must not be repeated is not.

#include <fmt/format.h>

#include "activities/activities.h"
#include "base/byte_order_mark.h"
#include "base/json.h"
#include "base/sha256.h"
#include "definition/model_section.h"
#include "holdfast/failure.h"
#include "perform/one_activity.h"

namespace holdfast::flows {

using agent::Effect;
using agent::Ending;
using agent::require;
using agent::ToolEnding;
using agent::ToolSpec;

namespace {

constexpr const char* kUnknown = "EffectUnknown";
// Of the arguments of a call that can be taken back: they are kept for that.
constexpr std::size_t kMaxUndoableBytes = 1 << 20;

BlockFailure too_large(std::size_t bytes) {
  return {"output_limit",
          fmt::format("its arguments have {} bytes, and those of a call that can be taken back {} "
                      "at most",
                      bytes, kMaxUndoableBytes)};
}

// A text that is no JSON is a JSON string.
std::string value_of(const std::string& text) {
  const std::string_view said = behind_byte_order_mark(text);
  return parse_json(said).is_discarded() ? dump_json(Json(text)) : std::string(said);
}

BlockOutcome outcome_of(const ToolEnding& ending) {
  switch (ending.ending) {
    case Ending::kDone: {
      BlockEnding done;
      done.value = value_of(ending.text);
      if (done.value.size() > kMaxValueBytes) return BlockOutcome::of(std::unexpected(value_too_large()));
      return BlockOutcome::of(std::move(done));
    }
    case Ending::kUnknown: return BlockOutcome::of(std::unexpected(BlockFailure{kUnknown, ending.text}));
    default: return BlockOutcome::of(std::unexpected(BlockFailure{"ToolError", ending.text}));
  }
}

}  // namespace

BlockOutcome FlowActivities::call_tool(OneActivity& at, std::size_t block, const std::string& arguments) {
  const ToolSpec& tool = *at.program.blocks[block].tool;
  const auto read = read_json(arguments, kMaxJsonDepth, Integers::kExact);
  at.books.started(block, arguments);
  const auto ended = [&](BlockOutcome outcome) {
    at.books.ended(block, outcome);
    return outcome;
  };
  if (!read)
    return ended(
        BlockOutcome::of(std::unexpected(BlockFailure{"ValueError", std::string(read.error().message())})));
  if (auto refusal = refused_call(at, block))
    return ended(BlockOutcome::of(std::unexpected(*std::move(refusal))));
  if (tool.effect == Effect::kPure) return ended(outcome_of(attempt_call(at, block, *read, arguments)));
  if (at.program.blocks[block].undo) {
    const std::string kept = dump_json(*read);
    if (kept.size() > kMaxUndoableBytes)
      return ended(BlockOutcome::of(std::unexpected(too_large(kept.size()))));
    at.books.keep_arguments(at.books.call_key(block), kept);
  }
  at.books.flush();
  platform::EffectIntent intent;
  intent.key = at.books.call_key(block);
  intent.run = at.ctx.info().workflow_id;
  intent.tool = tool.name;
  intent.effect = tool.effect;
  intent.arguments_sha256 = sha256_hex(dump_json(*read));
  const auto begun = require(deps_.store->begin_effect(intent), "recording the intent");
  const bool is_handed_out = tool.detached.has_value();
  const auto settled_as = [&](BlockOutcome outcome) {
    return is_handed_out ? handed_out(at, block, std::move(outcome)) : outcome;
  };
  if (begun.state == platform::EffectState::kSettled) return settled_as(at.books.read(begun.result));
  // Whoever has the token may come before the call has its answer, or lost it: then it was made.
  if (is_handed_out && begun.state == platform::EffectState::kUnknown && is_completed(at, block))
    return handed_out(at, block, BlockOutcome());
  if (begun.state == platform::EffectState::kUnknown && tool.effect == Effect::kAtMostOnce) {
    return ended(outcome_of(
        {Ending::kUnknown, "an earlier attempt was interrupted after the call may have been sent"}));
  }
  const ToolEnding ending = attempt_call(at, block, *read, arguments);
  BlockOutcome outcome = outcome_of(ending);
  if (is_handed_out && ending.ending == Ending::kUnknown && is_completed(at, block))
    return handed_out(at, block, BlockOutcome());
  // The ledger keeps it open: whether it happened is not known.
  if (ending.ending == Ending::kUnknown) return ended(std::move(outcome));
  const auto [settled, stands] =
      require(deps_.outbox->settle_effect(
                  intent.run, intent.key, !outcome.failed, at.books.record(outcome),
                  tool.detached ? std::vector<platform::Told>() : at.books.tells(block, outcome)),
              "settling the effect");
  return settled_as(stands ? std::move(outcome) : at.books.read(settled.result));
}

// Tool grants, of a call that has not ended in an earlier attempt.
std::optional<BlockFailure> FlowActivities::refused_call(OneActivity& at, std::size_t block) {
  auto refusal = not_granted(at, block);
  const ToolSpec& tool = *at.program.blocks[block].tool;
  if (!refusal || tool.effect == Effect::kPure) return refusal;
  if (require(deps_.store->lookup_effect(at.books.call_key(block)), "looking up the call")) {
    // What an interrupted one did is the first thing to say.
    if (tool.effect == Effect::kAtMostOnce) return std::nullopt;
    refusal->message += "; an earlier attempt of this call may have taken effect";
  }
  return refusal;
}

// Until it has ended, or has been tried as often as may be. A block with a policy of its own waits for its
// next attempt in the engine, one of a shared activity here.
ToolEnding FlowActivities::attempt_call(OneActivity& at, std::size_t block, const Json& arguments,
                                        std::string_view written) {
  const ToolSpec& tool = *at.program.blocks[block].tool;
  // A body's has none: its round goes on in this activity.
  const bool own = at.program.flow.blocks[block].retry.has_value() && !at.in_round();
  for (int tried = own ? at.ctx.info().attempt : 1;; ++tried) {
    ToolEnding ending = one_call(at, block, arguments, written);
    ending.text = at.books.redacted(std::move(ending.text));
    if (tool.effect == Effect::kPure && ending.ending == Ending::kUnknown) ending.ending = Ending::kRetry;
    if (ending.ending != Ending::kRetry) return ending;
    if (at.ctx.is_cancelled()) throw CanceledFailure("the call was canceled");
    // It was refused as a whole, but its intent stands.
    if (tool.effect == Effect::kAtMostOnce) return {Ending::kUnknown, ending.text};
    if (tried >= tool.retry.attempts) return {Ending::kFailed, ending.text};
    at.books.retrying(block, tried, ending.text, ending.retry_after);
    if (own) retry_later(at, block, ending);
    auto left = ending.retry_after.value_or(agent::interval_after(tool.retry, tried));
    while (left.count() > 0) {
      const auto part = std::min(left, agent::kBeatInterval);
      if (at.ctx.sleep(part)) throw CanceledFailure("the call was canceled");
      at.ctx.heartbeat();
      left -= part;
    }
  }
}

void FlowActivities::retry_later(OneActivity& at, std::size_t, const ToolEnding& ending) {
  std::optional<::holdfast::Duration> delay;
  if (ending.retry_after) delay = *ending.retry_after;
  at.books.flush();
  throw ApplicationFailure(agent::excerpt(ending.text), "ToolError", false, {}, delay);
}

ToolEnding FlowActivities::one_call(OneActivity& at, std::size_t block, const Json& arguments,
                                    std::string_view written) {
  const ToolSpec& tool = *at.program.blocks[block].tool;
  const agent::ActivityTool* type = agent::find_activity_tool(tool.type->name);
  HF_CHECK(type);
  agent::Beat beat(at.ctx);
  const auto permits = deps_.grants->of(at.version);
  const auto secrets = deps_.grants->current_redaction();
  agent::ToolContext context;
  context.idempotency_key = at.books.call_key(block);
  context.stop = beat.token();
  context.beat = [&beat] { beat(); };
  context.http = deps_.http;
  context.clock = deps_.clock;
  context.mcp = deps_.mcp;
  context.tokens = deps_.tokens;
  context.memory = deps_.sql_memory;
  context.sql_connections = deps_.sql_connections;
  context.permits = permits.get();
  context.redaction = secrets.get();
  context.store = deps_.store;
  context.run = at.ctx.info().workflow_id;
  context.agent = protocol::agent_of_flow(at.program.flow.name);
  context.conversation = context.run;
  context.written = written;
  context.as_data = !tool.detached;  // whose result comes from elsewhere
  if (!tool.detached) return type->run(tool, arguments, context);
  give_token(at, block, context);
  ToolEnding ending = type->run(tool, arguments, context);
  // Who repeats what he was sent tells nobody the secret.
  for (auto found = ending.text.find(context.completion_token); found != std::string::npos;
       found = ending.text.find(context.completion_token, found))
    ending.text.replace(found, context.completion_token.size(), "[token]");
  return ending;
}

}  // namespace holdfast::flows
