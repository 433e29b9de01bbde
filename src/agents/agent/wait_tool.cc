// `type: wait`: a durable timer. Nothing runs while it waits: no activity, no thread, none of
// max_parallel_tools; a worker that dies meanwhile is not missed. The model says for how long or until when,
// the definition how long at most.

#include <fmt/format.h>

#include "agent/bookkeeping.h"
#include "agent/workflow_tool.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "holdfast/failure.h"
#include "spec/duration.h"

namespace holdfast::agent {

namespace {

using namespace protocol;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLongestMax = std::chrono::hours(24) * 3660;

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "max": {"$ref": "#/$defs/duration", "description": "The longest wait that the model may ask for; 1d by default."}
  }
})json";

struct WaitSettings : ToolSettings {
  milliseconds max = std::chrono::hours(24);
};

Json parameters() {
  return {{"type", "object"},
          {"properties",
           {{"duration", {{"type", "string"}, {"description", "How long to wait: 90s, 5m, 1h30m or 7d."}}},
            {"until", {{"type", "string"}, {"description", "Or until when: 2026-12-24T09:00:00Z."}}}}}};
}

void read(ToolReader& reader) {
  auto out = std::make_shared<WaitSettings>();
  spec::MapReader in = reader.in.map("wait");
  out->max = in.duration("max", out->max, milliseconds(1), kLongestMax);
  in.finish();
  const Json& given = reader.tool.parameters;
  if (given.contains("properties")) {
    for (const auto& [name, unused] : given["properties"].items()) {
      if (name == "duration" || name == "until") continue;
      reader.in.problem("parameters",
                        fmt::format("a wait has the arguments `duration` and `until`, not `{}`", name));
    }
  }
  if (reader.effect_given) reader.in.problem("effect", "waiting changes nothing; remove `effect`");
  reader.tool.effect = Effect::kPure;
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  return {{"max", spec::format_duration(settings_of<WaitSettings>(tool).max)}};
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

std::optional<std::string> plan_duration(const std::string& text, milliseconds max, Json& input) {
  const auto length = spec::parse_duration(text);
  if (!length) return fmt::format("`duration` must be such as 90s, 5m, 1h30m or 7d, not `{}`", text);
  if (*length > max) {
    return fmt::format("`duration` may be {} at most, not {}", spec::format_duration(max), text);
  }
  input = {{"duration_ms", length->count()}};
  return std::nullopt;
}

std::optional<std::string> plan_until(const std::string& text, milliseconds max, WallTime now, Json& input) {
  const auto time = parse_iso_time(text);
  if (!time) return fmt::format("`until` must be a time such as 2026-12-24T09:00:00Z, not `{}`", text);
  if (*time - now > max) {
    return fmt::format("`until` may be {} from now at most; now it is {}", spec::format_duration(max),
                       iso_time(now));
  }
  input = {{"until_ms", std::chrono::floor<milliseconds>(time->time_since_epoch()).count()}};
  return std::nullopt;
}

std::optional<std::string> plan(const CallToPlan& call, PlannedCall& planned) {
  const milliseconds max = settings_of<WaitSettings>(call.tool).max;
  const auto duration = call.arguments.find("duration");
  const auto until = call.arguments.find("until");
  const bool has_duration = duration != call.arguments.end();
  if (has_duration == (until != call.arguments.end())) return "give `duration` or `until`, one of them";
  return has_duration ? plan_duration(text_of(*duration), max, planned.input)
                      : plan_until(text_of(*until), max, call.now, planned.input);
}

WallTime end_of(const Json& input, WallTime begun) {
  if (auto length = input.find("duration_ms"); length != input.end()) {
    return begun + milliseconds(length->get<std::int64_t>());
  }
  if (auto until = input.find("until_ms"); until != input.end()) {
    return WallTime(milliseconds(until->get<std::int64_t>()));
  }
  throw ApplicationFailure::non_retryable("the call does not say how long to wait", "INVALID_ARGUMENT");
}

// Whole seconds where there are some: "5m", not "5m12ms".
std::string length_of(WallTime begun, WallTime ended) {
  const auto length = std::chrono::floor<milliseconds>(ended - begun);
  return spec::format_duration(length < seconds(1) ? length : std::chrono::floor<seconds>(length));
}

Task<ToolAnswer> run(WorkflowCall call) {
  workflow::Context& ctx = *call.ctx;
  const WallTime begun = ctx.now();
  const WallTime until = end_of(call.planned.input, begun);
  StepInput step;
  step.call = call.planned.call;
  step.kind = call.planned.kind;
  step.details = {{"until", iso_time(until)}};
  co_await ctx.activity<void>(kStepStartedActivity, bookkeeping(), step);
  const auto left = std::chrono::ceil<milliseconds>(until - ctx.now());  // that entry took its time
  if (left > milliseconds(0)) co_await ctx.sleep(left, call.planned.call.tool);
  const Json result = {{"waited", length_of(begun, ctx.now())}, {"now", iso_time(ctx.now())}};
  step.text = dump_json(result);
  co_await ctx.activity<void>(kStepCompletedActivity, bookkeeping(), step);
  co_return recorded_answer(call.planned.call);
}

}  // namespace

constinit const WorkflowTool kWaitTool({.name = "wait",
                                        .schema = kSchema,
                                        .has_attempts = false,
                                        .parameters = parameters,
                                        .read = read,
                                        .canonical = canonical,
                                        .needs = needs_nothing,
                                        .plan = plan},
                                       run, /*only_waits=*/true);

}  // namespace holdfast::agent
