// `type: code`: the model writes JavaScript that calls tools (docs/adr/0082). The code runs in an activity,
// as a function of what its calls came to; those that it asks for are made here, as if the model had made
// them, and it is run again, until it asks for nothing more.

#include <fmt/format.h>

#include <algorithm>

#include "agent/failures.h"
#include "agent/workflow_tool.h"
#include "definition/code_calls.h"
#include "holdfast/failure.h"
#include "protocol/code.h"
#include "protocol/names.h"
#include "spec/duration.h"

namespace holdfast::agent {

namespace {

using namespace protocol;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "tools": {"type": "array", "minItems": 1, "maxItems": 1024, "items": {"type": "string"}, "description": "Which of the agent's tools the code may call: names, SERVER__*, or \"*\", which is the default."},
    "max_calls": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "So many calls one piece of code may make; 100 by default."},
    "time_limit": {"$ref": "#/$defs/duration", "description": "Of the processor, for one run of the code; 1s by default."}
  }
})json";

constexpr std::size_t kMaxNames = 1024;
constexpr milliseconds kShortest{10};
constexpr milliseconds kLongest = seconds(60);
// A busy machine takes so many times the code's own time; a process that hangs is ended behind that.
constexpr int kBusy = 4;
constexpr seconds kLongestHanging{30};
// Until a process of the sandbox is free.
constexpr seconds kLongestWaiting{120};

Json parameters() {
  return {{"type", "object"},
          {"properties",
           {{"code",
             {{"type", "string"},
              {"minLength", 1},
              {"maxLength", 256 * 1024},
              {"description", "JavaScript, the body of an async function."}}}}},
          {"required", {"code"}}};
}

void read(ToolReader& reader) {
  auto out = std::make_shared<CodeSettings>();
  spec::MapReader in = reader.in.map("code");
  if (in.has("tools")) {
    for (const YAML::Node& node : in.list("tools", kMaxNames)) {
      if (node.IsScalar() && !node.Scalar().empty())
        out->tools.push_back(node.Scalar());
      else
        in.problem("tools", "must be a list of names of tools");
    }
    if (out->tools.empty()) in.problem("tools", "names no tool; leave it out for all");
  } else {
    in.child("tools");
    out->tools = {"*"};
  }
  out->max_calls = static_cast<int>(in.integer("max_calls", out->max_calls, 1, kMostCodeCalls));
  out->time_limit = in.duration("time_limit", out->time_limit, kShortest, kLongest);
  in.finish();
  Json given = reader.tool.parameters;
  given.erase("additionalProperties");  // as it is stored
  if (given != parameters())
    reader.in.problem("parameters", "code has one argument, `code`, which is known; remove `parameters`");
  if (!reader.tool.bind.empty())
    reader.in.problem("bind", "the code is what the model writes; bind arguments of the tools that it calls");
  if (reader.effect_given)
    reader.in.problem("effect", "what code changes are the effects of the tools that it calls; remove it");
  reader.tool.effect = Effect::kPure;
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  const auto& settings = settings_of<CodeSettings>(tool);
  return {{"tools", settings.tools},
          {"max_calls", settings.max_calls},
          {"time_limit", spec::format_duration(settings.time_limit)}};
}

std::optional<std::string> plan(const CallToPlan& call, PlannedCall& planned) {
  const auto& settings = settings_of<CodeSettings>(call.tool);
  planned.input = {{"max_calls", settings.max_calls}, {"time_limit_ms", settings.time_limit.count()}};
  return std::nullopt;
}

// What keeps a machine from running it for a while is waited out; what the code does is a result.
ActivityOptions options_of(const PlannedCall& planned) {
  const milliseconds one_run =
      kBusy * milliseconds(planned.input.value("time_limit_ms", std::int64_t{1000})) + kLongestHanging;
  return ActivityOptions()
      .task_queue(kToolQueue)
      .start_to_close(one_run + kLongestWaiting)
      .heartbeat(one_run + kHeartbeatTimeout)  // while the code runs nothing beats
      .cancellation(ActivityCancellation::kWaitCompleted)
      .retry(RetryPolicy().initial(seconds(1)).maximum(seconds(30)).attempts(10));
}

CodeInput first_input(const WorkflowCall& call) {
  CodeInput out;
  out.agent = call.caller.agent;
  out.version = call.caller.version;
  out.call = call.planned.call;
  out.role = call.role;
  out.loaded = call.loaded;
  out.settings = call.caller.settings;
  out.requester = call.caller.requester;
  return out;
}

Task<ToolAnswer> run(WorkflowCall call) {
  CodeInput in = first_input(call);
  const int most = call.planned.input.value("max_calls", 100);
  int made = 0;
  while (true) {
    CodeRound round = co_await call.ctx->activity<CodeRound>(kCodeActivity, options_of(call.planned), in);
    if (round.calls.empty()) co_return recorded_answer(call.planned.call);
    made += static_cast<int>(round.calls.size());
    if (made > most) {
      throw ApplicationFailure::non_retryable(fmt::format("the code makes more than {} calls", most),
                                              "CodeLimitError");
    }
    auto answering = call.make(std::move(round.calls));
    in.answers = co_await std::move(answering);
    if (const std::string why = call.cut_short(); !why.empty()) {
      throw ApplicationFailure::non_retryable(
          fmt::format("ended early: {}. {} calls of the code were made or refused before", why, made),
          "CodeEndedError");
    }
    in.previous = round.key;
    ++in.runs;
  }
}

}  // namespace

constinit const WorkflowTool kCodeTool({.name = kCodeType,
                                        .schema = kSchema,
                                        .has_attempts = false,
                                        .parameters = parameters,
                                        .read = read,
                                        .canonical = canonical,
                                        .needs = needs_nothing,
                                        .plan = plan},
                                       run, /*only_waits=*/true, /*makes_calls=*/true);

}  // namespace holdfast::agent
