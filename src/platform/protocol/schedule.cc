#include "protocol/schedule.h"

#include "protocol/fields.h"
#include "protocol/words.h"

namespace holdfast::protocol {

namespace {

constexpr Words kOverlaps("overlap policy",
                          {Word{Overlap::kSkip, "skip"}, Word{Overlap::kBufferOne, "buffer_one"},
                           Word{Overlap::kAllow, "allow"}});

void fields(auto& archive, Is<ScheduleSpec> auto& v) {
  archive("name", v.name)("agent", v.agent)("version", v.version)("input", v.input)(
      "conversation", v.conversation)("cron", v.cron)("time_zone", v.time_zone)("overlap", v.overlap)(
      "catch_up_ms", v.catch_up_ms);
}

void fields(auto& archive, Is<ScheduleState> auto& v) {
  archive("paused", v.paused)("note", v.note)("considered_ms", v.considered_ms)("triggers", v.triggers)(
      "asked", v.asked)("last_run", v.last_run)("started", v.started)("skipped", v.skipped)(
      "failed", v.failed)("last_error", v.last_error);
}

void fields(auto& archive, Is<ScheduleInput> auto& v) {
  archive("spec", v.spec)("state", v.state);
}

void fields(auto& archive, Is<PauseInput> auto& v) {
  archive("note", v.note);
}

void fields(auto& archive, Is<TriggerInput> auto& v) {
  archive("id", v.id);
}

void fields(auto& archive, Is<NextInput> auto& v) {
  archive("cron", v.cron)("time_zone", v.time_zone)("after_ms", v.after_ms);
}

void fields(auto& archive, Is<NextDue> auto& v) {
  archive("due_ms", v.due_ms);
}

void fields(auto& archive, Is<FireInput> auto& v) {
  archive("spec", v.spec)("due_ms", v.due_ms)("triggered", v.triggered)("previous", v.previous);
}

void fields(auto& archive, Is<Fired> auto& v) {
  archive("run", v.run);
}

}  // namespace

std::optional<Overlap> overlap_by_name(std::string_view word) {
  return kOverlaps.find(word);
}

HOLDFAST_PROTOCOL_WORDS(Overlap, kOverlaps)
HOLDFAST_PROTOCOL_JSON(ScheduleSpec)
HOLDFAST_PROTOCOL_JSON(ScheduleState)
HOLDFAST_PROTOCOL_JSON(ScheduleInput)
HOLDFAST_PROTOCOL_JSON(PauseInput)
HOLDFAST_PROTOCOL_JSON(TriggerInput)
HOLDFAST_PROTOCOL_JSON(NextInput)
HOLDFAST_PROTOCOL_JSON(NextDue)
HOLDFAST_PROTOCOL_JSON(FireInput)
HOLDFAST_PROTOCOL_JSON(Fired)

}  // namespace holdfast::protocol
