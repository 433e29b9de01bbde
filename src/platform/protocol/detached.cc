#include "protocol/detached.h"

#include "protocol/fields.h"
#include "protocol/words.h"

namespace holdfast::protocol {

namespace {

constexpr Words kCompletedBys("way to end a detached call",
                              {Word{CompletedBy::kCall, "call"}, Word{CompletedBy::kToken, "token"}});

void fields(auto& archive, Is<Detachment> auto& v) {
  archive("by", v.by)("deadline_ms", v.deadline_ms);
}

void fields(auto& archive, Is<DetachedCall> auto& v) {
  archive("id", v.id)("call", v.call)("kind", v.kind)("by", v.by)("since_ms", v.since_ms)(
      "deadline_ms", v.deadline_ms)("started", v.started)("completed", v.completed);
}

void fields(auto& archive, Is<DetachedEnd> auto& v) {
  archive("id", v.id)("tool", v.tool)("answer", v.answer);
}

void fields(auto& archive, Is<CompletionNews> auto& v) {
  archive("id", v.id);
}

void fields(auto& archive, Is<EndDetachedInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("detached", v.detached)("run_ends", v.run_ends);
}

}  // namespace

HOLDFAST_PROTOCOL_WORDS(CompletedBy, kCompletedBys)
HOLDFAST_PROTOCOL_JSON(Detachment)
HOLDFAST_PROTOCOL_JSON(DetachedCall)
HOLDFAST_PROTOCOL_JSON(DetachedEnd)
HOLDFAST_PROTOCOL_JSON(CompletionNews)
HOLDFAST_PROTOCOL_JSON(EndDetachedInput)

}  // namespace holdfast::protocol
