#include "protocol/call.h"

#include "base/json.h"
#include "base/sha256.h"
#include "protocol/fields.h"
#include "protocol/words.h"

namespace holdfast::protocol {

namespace {

constexpr Words kSources("source of an answer",
                         {Word{AnswerSource::kStep, "step"}, Word{AnswerSource::kEffect, "effect"},
                          Word{AnswerSource::kError, "error"}, Word{AnswerSource::kText, "text"}});

constexpr Words kEffects("effect", {Word{Effect::kPure, "pure"}, Word{Effect::kIdempotent, "idempotent"},
                                    Word{Effect::kAtMostOnce, "at_most_once"},
                                    Word{Effect::kTransactional, "transactional"}});

void fields(auto& archive, Is<ConversationRef> auto& v) {
  archive("conversation", v.conversation)("branch", v.branch)("sequence", v.sequence)("sha256", v.sha256);
}

void fields(auto& archive, Is<CallRef> auto& v) {
  archive("message", v.message)("ordinal", v.ordinal)("id", v.id)("tool", v.tool)("key", v.key)(
      "approval", v.approval)("step", v.step)("bound", v.bound)("team", v.team)("environment", v.environment)(
      "round", v.round)("place", v.place)("within", v.within);
}

void fields(auto& archive, Is<ToolAnswer> auto& v) {
  archive("ordinal", v.ordinal)("id", v.id)("source", v.source)("key", v.key)("text", v.text)("step", v.step)(
      "carried", v.carried);
}

}  // namespace

std::string idempotency_key(std::string_view namespace_name, const ConversationRef& message,
                            std::uint32_t ordinal, std::string_view tool,
                            std::string_view canonical_arguments) {
  // A JSON array keeps the parts apart. The layout is part of the stored format: it never changes.
  Json parts = {"holdfast.call.v1", namespace_name, message.conversation, message.branch,
                message.sequence,   ordinal,        std::string(tool),    std::string(canonical_arguments)};
  return sha256_hex(dump_json(parts));
}

std::string_view to_string(Effect effect) {
  return kEffects.text(effect);
}

HOLDFAST_PROTOCOL_JSON(ConversationRef)
HOLDFAST_PROTOCOL_JSON(CallRef)
HOLDFAST_PROTOCOL_WORDS(AnswerSource, kSources)
HOLDFAST_PROTOCOL_JSON(ToolAnswer)

}  // namespace holdfast::protocol
