// What a run that is steered asks of the world: messages find their way into the conversation, and a run that
// waits stands in the list of those that do.

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/first_message.h"
#include "base/json.h"
#include "protocol/events.h"

namespace holdfast::agent {

void Activities::add_messages(activity::Context& ctx, const std::vector<SentMessage>& sent,
                              std::uint32_t step, std::vector<model::Message>& messages) {
  for (const SentMessage& one : sent) {
    auto record = require(deps_.store->lookup_step(one.key), "a message");
    if (!record) throw ApplicationFailure::non_retryable("the text of a message is gone", "NOT_FOUND");
    const auto said = parse_json(record->result).get<MessageText>();
    // It has been taken: what is no message in parts after all is said as the text that it is, and ends
    // nothing.
    auto message = first_message(said.text);
    messages.push_back(message ? *std::move(message) : model::Message::user(said.text));
    Json event = {{"id", one.id}, {"by", one.by}, {"text", excerpt(said.text)}};
    if (step != 0) event["step"] = step;
    publish(ctx, protocol::event::kMessageSeen, event, "message/" + one.id + "/seen");
  }
}

void Activities::tell_interruption(activity::Context& ctx, std::uint32_t step) {
  if (step == 0) return;
  publish(ctx, protocol::event::kStepFailed,
          {{"step", step}, {"error_type", "Interrupted"}, {"error", "a message came first"}},
          fmt::format("step/{}/interrupted", step));
}

void Activities::hold(activity::Context& ctx, const HoldInput& in) {
  const std::string& run = ctx.info().workflow_id;
  const Hold& hold = in.hold;
  if (in.released) {
    require_ok(deps_.store->release_run(run), "recording that the run goes on");
    publish(ctx, protocol::event::kRunResumed,
            {{"from", to_string(hold.kind)}, {"by", in.by}, {"version", in.version}},
            fmt::format("hold/{}/released", hold.since_ms));
    return;
  }
  platform::HeldRun held;
  held.run = run;
  held.kind = hold.kind;
  held.reason = hold.reason;
  held.detail = excerpt(hold.detail);
  held.by = hold.by;
  held.at = WallTime(std::chrono::milliseconds(hold.since_ms));
  require_ok(deps_.store->hold_run(held), "recording that the run waits");
  const bool parked = hold.kind == HoldKind::kParked;
  Json event = {{"reason", hold.reason}};
  if (parked) {
    event["step"] = hold.step;
    event["error"] = excerpt(hold.detail);
  } else {
    event["by"] = hold.by;
  }
  publish(ctx, parked ? protocol::event::kRunParked : protocol::event::kRunPaused, event,
          fmt::format("hold/{}/{}", hold.since_ms, to_string(hold.kind)));
}

}  // namespace holdfast::agent
