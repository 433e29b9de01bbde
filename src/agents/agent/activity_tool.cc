// `type: activity`: an activity of a worker of somebody else's, in any language that has a Temporal SDK, on
// any task queue. The arguments are its one parameter, its result is the model's. The workflow schedules it
// itself, with the call's idempotency key as the activity's id, which every SDK shows to the activity.

#include <fmt/format.h>

#include "agent/bookkeeping.h"
#include "agent/failures.h"
#include "agent/workflow_tool.h"
#include "base/json.h"
#include "base/text.h"
#include "holdfast/failure.h"
#include "spec/duration.h"

namespace holdfast::agent {

namespace {

using namespace protocol;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["name", "task_queue"],
  "properties": {
    "name": {"type": "string", "minLength": 1, "description": "The activity's type."},
    "task_queue": {"type": "string", "minLength": 1, "description": "Where its workers poll."},
    "heartbeat": {"$ref": "#/$defs/duration", "description": "Longest silence of the activity; none by default."},
    "start_within": {"$ref": "#/$defs/duration", "description": "How long a worker may take to begin; 1h by default."},
    "max_result_bytes": {"type": "integer", "minimum": 256, "maximum": 1048576}
  }
})json";

constexpr std::size_t kMaxNameBytes = 200;

struct ActivitySettings : ToolSettings {
  std::string name;
  std::string task_queue;
  milliseconds heartbeat{0};  // zero: none
  milliseconds start_within = hours(1);
  std::size_t max_result_bytes = 64 * 1024;
};

void read_effect(ToolReader& reader) {
  if (!reader.effect_given) {
    reader.in.missing(
        "effect",
        "pure if the activity changes nothing, idempotent if the same activity id is one effect to it, "
        "at_most_once if not");
  } else if (reader.tool.effect == Effect::kTransactional) {
    reader.in.problem("effect", "an activity cannot be transactional; use idempotent or at_most_once");
  }
}

void read(ToolReader& reader) {
  auto out = std::make_shared<ActivitySettings>();
  spec::MapReader in = reader.in.map("activity");
  out->name = in.required_text("name");
  out->task_queue = in.required_text("task_queue");
  for (const char* key : {"name", "task_queue"}) {
    if (in.text(key).size() > kMaxNameBytes)
      in.problem(key, fmt::format("is longer than {} bytes", kMaxNameBytes));
  }
  for (const char* own : {kAgentQueue, kModelQueue, kToolQueue}) {
    if (out->task_queue == own) in.problem("task_queue", "is Holdfast's own; give your worker another one");
  }
  out->heartbeat = in.duration("heartbeat", out->heartbeat, milliseconds(0), hours(24));
  out->start_within = in.duration("start_within", out->start_within, milliseconds(100), hours(24) * 366);
  out->max_result_bytes =
      static_cast<std::size_t>(in.integer("max_result_bytes", 64 * 1024, 256, 1024 * 1024));
  in.finish();
  read_effect(reader);
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  const auto& activity = settings_of<ActivitySettings>(tool);
  Json out = {{"name", activity.name},
              {"task_queue", activity.task_queue},
              {"start_within", spec::format_duration(activity.start_within)},
              {"max_result_bytes", activity.max_result_bytes}};
  if (activity.heartbeat.count() > 0) out["heartbeat"] = spec::format_duration(activity.heartbeat);
  return out;
}

Needs needs(const ToolSpec& tool) {
  const auto& activity = settings_of<ActivitySettings>(tool);
  return {{.kind = Need::Kind::kActivity, .name = activity.name + "@" + activity.task_queue, .url = {}}};
}

std::optional<std::string> plan(const CallToPlan& call, PlannedCall& planned) {
  const auto& activity = settings_of<ActivitySettings>(call.tool);
  planned.input = {{"name", activity.name},
                   {"task_queue", activity.task_queue},
                   {"heartbeat_ms", activity.heartbeat.count()},
                   {"start_within_ms", activity.start_within.count()},
                   {"max_result_bytes", activity.max_result_bytes},
                   {"once", call.tool.effect == Effect::kAtMostOnce},
                   {"arguments", call.arguments}};
  return std::nullopt;
}

ActivityOptions options_of(const PlannedCall& planned) {
  const Json& input = planned.input;
  const Json& retry = planned.retry;
  const bool once = input.value("once", true);
  ActivityOptions out;
  out.task_queue(input.at("task_queue").get<std::string>())
      .activity_id(planned.call.key)
      .start_to_close(milliseconds(planned.timeout_ms))
      .schedule_to_start(milliseconds(input.at("start_within_ms").get<std::int64_t>()))
      .summary(planned.call.tool)
      .retry(retry_policy(retry).attempts(once ? 1 : retry.value("attempts", 1)));
  if (const auto heartbeat = input.value("heartbeat_ms", std::int64_t{0}); heartbeat > 0)
    out.heartbeat(milliseconds(heartbeat));
  return out;
}

// What the worker answered, as the model reads it.
std::string text_of(const Payload& result, std::size_t most) {
  const auto encoding = result.metadata.find("encoding");
  const std::string kind = encoding == result.metadata.end() ? "" : encoding->second;
  if (kind == "binary/null" || (kind.empty() && result.data.empty())) return "";
  if (!kind.starts_with("json/")) return fmt::format("(a result of {}, {} bytes)", kind, result.data.size());
  const Json json = parse_json(result.data);
  return bounded_text(json.is_string() ? json.get<std::string>() : result.data, most);
}

const Failure& root_of(const Failure& failure) {
  const Failure* at = &failure;
  while (at->cause()) at = at->cause().get();
  return *at;
}

// Why there is no result. Of a call that must be made once at most, whatever is not a word of the activity
// itself, that it refuses for good, leaves open what has happened.
[[noreturn]] void throw_failure(const Failure& failure, const PlannedCall& planned) {
  const Failure& root = root_of(failure);
  if (dynamic_cast<const CanceledFailure*>(&root)) failure.raise();
  const auto* timeout = dynamic_cast<const TimeoutFailure*>(&root);
  if (timeout && timeout->timeout_type() == TimeoutType::kScheduleToStart) {
    throw ApplicationFailure::non_retryable(
        fmt::format("no worker on the task queue {} began the activity in time, so it was not made",
                    planned.input.at("task_queue").get<std::string>()),
        "ToolError");
  }
  const auto* said = dynamic_cast<const ApplicationFailure*>(&root);
  const std::string message =
      timeout ? fmt::format("the activity did not end in time ({})", root.message()) : root.message();
  const bool refused = said && said->is_non_retryable();
  if (planned.input.value("once", true) && !refused)
    throw ApplicationFailure::non_retryable(bounded_text(message, 500), kEffectUnknown);
  throw ApplicationFailure::non_retryable(bounded_text(message, 2000), "ToolError");
}

Task<ToolAnswer> run(WorkflowCall call) {
  workflow::Context& ctx = *call.ctx;
  const PlannedCall& planned = call.planned;
  StepInput step;
  step.call = planned.call;
  step.kind = planned.kind;
  step.details = {{"activity", planned.input.at("name")}, {"task_queue", planned.input.at("task_queue")}};
  co_await ctx.activity<void>(kStepStartedActivity, bookkeeping(), step);
  auto options = options_of(planned);
  const std::string name = planned.input.at("name").get<std::string>();
  auto running = attempt(ctx.activity<Payload>(name, options, planned.input.at("arguments")));
  Outcome<Payload> outcome = co_await std::move(running);
  if (!outcome.ok()) throw_failure(outcome.error(), planned);
  step.details = Json();
  step.text = text_of(outcome.value(), planned.input.value("max_result_bytes", std::size_t{64 * 1024}));
  co_await ctx.activity<void>(kStepCompletedActivity, bookkeeping(), step);
  co_return recorded_answer(planned.call);
}

}  // namespace

constinit const WorkflowTool kActivityTool({.name = "activity",
                                            .schema = kSchema,
                                            .section_needs = "with `name` and `task_queue`",
                                            .has_effect = true,
                                            .read = read,
                                            .canonical = canonical,
                                            .needs = needs,
                                            .plan = plan},
                                           run);

}  // namespace holdfast::agent
