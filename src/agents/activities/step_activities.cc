// The steps that the workflow makes itself: what those who watch see of them, and where the model finds the
// result. The workflow decides; these keep the books.

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/carried_result.h"
#include "base/json.h"
#include "protocol/events.h"

namespace holdfast::agent {

void Activities::step_started(activity::Context& ctx, const StepInput& in) {
  require_granted(ctx, in.call);
  Json event = {{"step", in.call.step}, {"kind", in.kind},
                {"name", in.call.tool}, {"arguments", excerpt(dump_json(arguments_of(in.call)))},
                {"attempt", 1},         {"key", in.call.key}};
  if (in.call.within != 0) event["within"] = in.call.within;
  if (in.details.is_object()) event.update(in.details);
  publish(ctx, protocol::event::kStepStarted, event,
          fmt::format("step/{}/{}/started", in.call.step, in.call.key));
}

void Activities::step_completed(activity::Context& ctx, const StepInput& in) {
  platform::StepWrite write;
  write.key = "tool:" + in.call.key;
  write.run = ctx.info().workflow_id;
  write.result = tool_record(redaction()->apply(in.text), in.failed);
  const Json event = tool_event(in.call.step, in.kind, in.call.tool, write.result);
  const std::string key = fmt::format("step/{}/completed", in.call.step);
  const auto record =
      require(deps_.outbox->commit_step(write, {told(ctx, protocol::event::kStepCompleted, event, key)}),
              "storing the result");
  if (record.replayed) publish(ctx, protocol::event::kStepCompleted, event, key);
}

}  // namespace holdfast::agent
