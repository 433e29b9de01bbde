#include "protocol/steering.h"

#include "protocol/fields.h"
#include "protocol/words.h"

namespace holdfast::protocol {

namespace {

constexpr Words kPolicies("policy of steering", {Word{SteeringPolicy::kQueue, "queue"},
                                                 Word{SteeringPolicy::kInterrupt, "interrupt"},
                                                 Word{SteeringPolicy::kReject, "reject"}});
constexpr Words kHolds("kind of hold",
                       {Word{HoldKind::kPaused, "paused"}, Word{HoldKind::kParked, "parked"}});

void fields(auto& archive, Is<SentMessage> auto& v) {
  archive("id", v.id)("key", v.key)("by", v.by);
}

void fields(auto& archive, Is<MessageText> auto& v) {
  archive("text", v.text)("by", v.by);
}

void fields(auto& archive, Is<Hold> auto& v) {
  archive("kind", v.kind)("reason", v.reason)("detail", v.detail)("by", v.by)("since_ms", v.since_ms)("step",
                                                                                                      v.step);
}

void fields(auto& archive, Is<PauseRequest> auto& v) {
  archive("by", v.by)("reason", v.reason);
}

void fields(auto& archive, Is<ResumeRequest> auto& v) {
  archive("by", v.by)("version", v.version);
}

void fields(auto& archive, Is<GiveUpRequest> auto& v) {
  archive("by", v.by)("reason", v.reason);
}

void fields(auto& archive, Is<UndoableItems> auto& v) {
  archive("run", v.run)("of", v.of)("blocks", v.blocks)("count", v.count)("are_runs", v.are_runs)("only",
                                                                                                  v.only);
}

void fields(auto& archive, Is<Undoable> auto& v) {
  archive("agent", v.agent)("version", v.version)("call", v.call)("timeout_ms", v.timeout_ms)(
      "retry", v.retry)("items", v.items);
}

}  // namespace

std::optional<HoldKind> hold_kind_by_name(std::string_view name) {
  return kHolds.find(name);
}

HOLDFAST_PROTOCOL_WORDS(SteeringPolicy, kPolicies)
HOLDFAST_PROTOCOL_WORDS(HoldKind, kHolds)
HOLDFAST_PROTOCOL_JSON(SentMessage)
HOLDFAST_PROTOCOL_JSON(MessageText)
HOLDFAST_PROTOCOL_JSON(Hold)
HOLDFAST_PROTOCOL_JSON(PauseRequest)
HOLDFAST_PROTOCOL_JSON(ResumeRequest)
HOLDFAST_PROTOCOL_JSON(GiveUpRequest)
HOLDFAST_PROTOCOL_JSON(UndoableItems)
HOLDFAST_PROTOCOL_JSON(Undoable)

}  // namespace holdfast::protocol
