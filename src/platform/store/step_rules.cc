#include "platform/step_rules.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace holdfast::platform::rules {

Status check_step(const StepWrite& step) {
  if (Status status = check_name("a step", step.key); !status.ok()) return status;
  if (Status status = check_body("the result of a step", step.result); !status.ok()) return status;
  if (step.expected || step.messages.empty()) return {};
  return {Code::kInvalidArgument, "a step with messages must say after which reference they go"};
}

Change<StepRecord> commit_step(const StepWrite& step, const std::optional<StepRecord>& stored, WallTime now) {
  if (stored) {
    Change<StepRecord> out{*stored};
    out.row.replayed = true;
    return out;
  }
  StepRecord row;
  row.key = step.key;
  row.run = step.run;
  row.result = step.result;
  row.at = now;
  return {std::move(row), Write::kInsert};
}

Status check_usage(const Usage& usage) {
  if (Status status = check_name("a usage row", usage.key); !status.ok()) return status;
  for (const std::int64_t tokens : {usage.input_tokens, usage.output_tokens, usage.cached_input_tokens,
                                    usage.cache_write_tokens, usage.reasoning_tokens}) {
    if (tokens < 0 || tokens > kMaxTokensOfCall)
      return {Code::kInvalidArgument, fmt::format("no call uses {} tokens", tokens)};
  }
  if (usage.cost.value_or(0) < 0) return {Code::kInvalidArgument, "no call costs less than nothing"};
  return {};
}

Status check_effect(const EffectIntent& intent) {
  return check_name("an effect", intent.key);
}

Result<Change<EffectRecord>> begin_effect(const EffectIntent& intent,
                                          const std::optional<EffectRecord>& stored, WallTime now) {
  if (!stored) {
    EffectRecord row;
    row.intent = intent;
    row.fence = 1;
    row.begun_at = now;
    return Change<EffectRecord>{std::move(row), Write::kInsert};
  }
  const EffectIntent& before = stored->intent;
  if (before.tool != intent.tool || before.effect != intent.effect ||
      before.arguments_sha256 != intent.arguments_sha256) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("effect {} was begun as another call ({}): an idempotency key names one call only",
                    intent.key, before.tool));
  }
  if (stored->state == EffectState::kSettled) return Change<EffectRecord>{*stored};
  EffectRecord row = *stored;
  row.state = EffectState::kUnknown;
  ++row.fence;
  return Change<EffectRecord>{std::move(row), Write::kUpdate};
}

Result<Change<EffectRecord>> settle_effect(std::string_view key, const std::optional<EffectRecord>& stored,
                                           bool succeeded, std::string_view result, WallTime now) {
  if (!stored) {
    return fail(Code::kFailedPrecondition,
                fmt::format("effect {} was never begun: write the intent first", key));
  }
  if (stored->state == EffectState::kSettled) return Change<EffectRecord>{*stored};
  EffectRecord row = *stored;
  row.state = EffectState::kSettled;
  row.succeeded = succeeded;
  row.result = std::string(result);
  row.settled_at = now;
  return Change<EffectRecord>{std::move(row), Write::kUpdate};
}

}  // namespace holdfast::platform::rules
