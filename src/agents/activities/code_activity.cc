// `type: code`: one run of code over what its calls came to (docs/adr/0082). It ends with the calls that are
// to be made before it can go on, planned as a model's are, or with what it returned. What it asked for is in
// the store before any of it is called; an attempt behind a crash finds it there, and plans the same calls.

#include <fmt/format.h>

#include <algorithm>

#include "activities/activities.h"
#include "activities/builtin_tools.h"
#include "activities/carried_result.h"
#include "activities/code_result.h"
#include "activities/read_blob.h"
#include "activities/step_log.h"
#include "base/json.h"
#include "base/text.h"
#include "definition/code_calls.h"
#include "holdfast/failure.h"
#include "protocol/events.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

// The sandbox is asked again and again, so that the activity can say that it lives.
constexpr milliseconds kSlice{2000};
constexpr int kMaxSlices = 30;

// Of its values: its own, and so much for what its calls came to, a byte of JSON each.
constexpr std::uint32_t kCodeMemory = 16U << 20;
constexpr std::uint32_t kMemoryOfByte = 8;

const ToolSpec& code_tool(const AgentDefinition& agent, const CallRef& call) {
  const ToolSpec* tool = tool_named(agent, call.tool);
  if (tool == nullptr || tool->type->name != kCodeType)
    throw ApplicationFailure::non_retryable(fmt::format("there is no tool `{}` for code", call.tool),
                                            "NOT_FOUND");
  return *tool;
}

// As the next runs find them: what was carried is stored by then, and what failed was told.
Json answers_to_keep(const std::vector<ToolAnswer>& answers) {
  std::vector<ToolAnswer> out = answers;
  for (ToolAnswer& answer : out) {
    answer.carried.clear();
    answer.step = 0;
  }
  return out;
}

}  // namespace

std::string Activities::whole_result(activity::Context& ctx, const Json& record, std::size_t most) {
  auto whole = whole_text(ctx, *deps_.store, record, most);
  return whole ? *std::move(whole) : std::string(most + 1, ' ');  // refused by whoever counts
}

CodeAnswer Activities::answer_for_code(activity::Context& ctx, const ToolAnswer& answer, std::size_t most,
                                       std::vector<platform::StepWrite>& carried) {
  CodeAnswer out;
  if (answer.source == AnswerSource::kError || answer.source == AnswerSource::kText) {
    out.ok = answer.source == AnswerSource::kText;
    out.text = answer.text;
    if (!out.ok && answer.step != 0) tell_failed(ctx, answer);
    return out;
  }
  const Json record = Json::parse(recorded_result(ctx, answer, carried));
  out.ok = !record.value("is_error", false);
  out.text = whole_result(ctx, record, most);
  return out;
}

Json Activities::code_round(const std::string& key) {
  const auto record = require(deps_.store->lookup_step(key), "what the code has called");
  if (!record) throw ApplicationFailure::non_retryable("what the code has called is gone", "NOT_FOUND");
  return Json::parse(record->result);
}

// Up to that one, the first one first.
std::vector<Json> Activities::code_rounds(const std::string& last) {
  std::vector<Json> out;
  for (std::string key = last; !key.empty(); key = out.back().value("previous", "")) {
    if (out.size() > kMostCodeCalls)
      throw ApplicationFailure::non_retryable("what the code has called has no beginning", "DATA_LOSS");
    out.push_back(code_round(key));
  }
  std::ranges::reverse(out);
  return out;
}

void Activities::add_round(activity::Context& ctx, CodePast& past, const Json& calls,
                           const std::vector<ToolAnswer>& answers,
                           std::vector<platform::StepWrite>& carried) {
  std::vector<CodeAnswer> given;
  for (const ToolAnswer& answer : answers) {  // all of them: what is carried is to be stored
    const std::size_t room = kMaxCodeResults - std::min(past.bytes, kMaxCodeResults);
    CodeAnswer one = answer_for_code(ctx, answer, room, carried);
    past.bytes += one.text.size();
    if (past.bytes > kMaxCodeResults) one.text.clear();
    given.push_back(std::move(one));
  }
  past.add(calls, given);
}

// The rounds before this run. The run before it, in this process, has left all but the last one.
CodePast Activities::code_past(activity::Context& ctx, const CodeInput& in,
                               std::vector<platform::StepWrite>& carried) {
  CodePast out;
  if (in.previous.empty()) return out;
  if (auto kept = code_pasts_.take(in.previous)) {
    add_round(ctx, *kept, code_round(in.previous).at("calls"), in.answers, carried);
    return *std::move(kept);
  }
  const std::vector<Json> rounds = code_rounds(in.previous);
  std::vector<platform::StepWrite> stored;  // what earlier rounds carried is
  for (std::size_t i = 0; i + 1 < rounds.size(); ++i)
    add_round(ctx, out, rounds[i].at("calls"), rounds[i + 1].at("answers").get<std::vector<ToolAnswer>>(),
              stored);
  add_round(ctx, out, rounds.back().at("calls"), in.answers, carried);
  return out;
}

// What waiting would mend ends this attempt, and nothing of the code.
Result<sandbox::Reply> Activities::evaluate_code(activity::Context& ctx, const std::string& agent,
                                                 const sandbox::Request& request) {
  if (!deps_.evaluate)
    return fail(Code::kFailedPrecondition, "this worker has no sandbox, so it runs no code");
  const std::string tenant = fmt::format("{}/agent {}", ctx.info().namespace_name, agent);
  for (int slice = 1;; ++slice) {
    ctx.heartbeat();
    ctx.throw_if_cancelled();
    auto reply = deps_.evaluate(tenant, request, kSlice);
    if (reply) return reply;
    switch (reply.error().code()) {
      case Code::kResourceExhausted:
        if (slice < kMaxSlices) continue;
        [[fallthrough]];
      case Code::kUnavailable: throw ApplicationFailure(std::string(reply.error().message()), "SandboxBusy");
      default: return reply;
    }
  }
}

CodeEnd Activities::code_end(activity::Context& ctx, const AgentDefinition& agent, const ToolSpec& tool,
                             const CodeInput& in, const CodePast& past) {
  const auto& settings = settings_of<CodeSettings>(tool);
  if (past.bytes > kMaxCodeResults) return too_much_for_code(past, kMaxCodeResults);
  sandbox::Request request;
  request.kind = sandbox::Kind::kCalls;
  request.limits.time_ms = static_cast<std::uint32_t>(settings.time_limit.count());
  request.limits.memory_bytes = kCodeMemory + kMemoryOfByte * static_cast<std::uint32_t>(past.bytes);
  request.code = arguments_of(in.call).value("code", "");
  request.inputs = past.inputs(callable_tools(agent, tool), settings.max_calls);
  auto reply = evaluate_code(ctx, in.agent, request);
  return reply ? end_of_code(past, *reply, kMostCodeCallsAtOnce) : code_did_not_run(past, reply.error());
}

// As a model's call is planned; the policy sees no difference.
PlannedCall Activities::plan_code_call(const AgentDefinition& agent, const ToolSpec& code,
                                       const CodeInput& in, const CodeRound& round, const Json& asked,
                                       std::uint32_t place, const PlanningOf& run) {
  model::ToolCall call;
  call.id = in.call.id;
  call.name = asked.value("tool", "");
  call.arguments = asked.value("arguments", "");
  ModelInput model;
  model.role = in.role;
  model.loaded = in.loaded;
  model.requester = in.requester;
  std::optional<ShadowRuling> shadow;
  PlannedCall out = plan_call(agent, call, in.call.ordinal, model, run, shadow);
  if (shadow) metrics_.shadow(agent.name, shadow->action);
  const ToolSpec* tool = agent.find_tool(call.name);
  if (tool == nullptr || !may_call(code, *tool)) {
    out.verdict = Verdict::kInvalid;
    out.reason = fmt::format("`{}` is no tool that code may call", call.name);
  }
  CallRef& place_of = out.call;
  place_of.message = in.call.message;
  place_of.round = round.key;
  place_of.place = place;
  place_of.within = in.call.step;
  if (out.verdict == Verdict::kInvalid) return out;
  Json arguments = Json::parse(call.arguments);
  if (place_of.bound.is_object()) arguments.update(place_of.bound);
  place_of.key = code_call_key(place_of, dump_json(arguments));
  return out;
}

void Activities::plan_round(activity::Context& ctx, const AgentDefinition& agent, const ToolSpec& code,
                            const CodeInput& in, const std::string& record, CodeRound& out) {
  PlanningOf run;
  if (binds_context(agent)) run.context = settings_at(in.settings).context;
  run.environment = environment_at(in.settings);
  run.permits = tool_permits(agent.name, agent.team, run.environment);
  std::uint32_t place = 0;
  for (const Json& asked : Json::parse(record).at("calls")) {
    PlannedCall call = plan_code_call(agent, code, in, out, asked, place, run);
    if (call.verdict == Verdict::kDeny) {
      publish(ctx, protocol::event::kPolicyRuled,
              {{"step", in.call.step},
               {"tool", call.call.tool},
               {"action", "deny"},
               {"reason", excerpt(call.reason)},
               {"within", in.call.step}},
              fmt::format("policy/{}/{}", out.key, place));
    }
    out.calls.push_back(std::move(call));
    ++place;
  }
}

void Activities::code_started(activity::Context& ctx, const ToolSpec& tool, const CodeInput& in) {
  require_granted(ctx, in.call);
  publish_begun(ctx,
                {{"step", in.call.step},
                 {"kind", tool.type->name},
                 {"name", tool.name},
                 {"arguments", excerpt(dump_json(arguments_of(in.call)))},
                 {"attempt", 1},
                 {"key", in.call.key}},
                fmt::format("step/{}/{}/started", in.call.step, in.call.key));
}

// What it came to is the result of the call.
void Activities::code_ended(activity::Context& ctx, const AgentDefinition& agent, const ToolSpec& tool,
                            const CodeInput& in, CodeEnd end,
                            const std::vector<platform::StepWrite>& carried) {
  end.text = without_secrets(std::move(end.text));
  Json more = std::move(end.more);
  more["runs"] = in.runs + 1;
  if (more.contains("log")) {
    const std::string log = without_secrets(more["log"].get<std::string>());
    more["log"] = std::string(cut_text(log, kMaxLogBytes));
  }
  const std::string text =
      fit_output(*deps_.store, output_of(ctx, agent, in.call), std::move(end.text), more);
  platform::StepWrite write;
  write.key = "tool:" + in.call.key;
  write.run = ctx.info().workflow_id;
  write.result = tool_record(text, end.failed, more);
  const std::string key = fmt::format("step/{}/completed", in.call.step);
  const auto event = [&](const std::string& record) {
    return tool_event(in.call.step, tool.type->name, tool.name, record);
  };
  const auto record =
      require(deps_.outbox->commit_step(
                  write, {told(ctx, protocol::event::kStepCompleted, event(write.result), key)}, carried),
              "storing the result of the code");
  if (record.replayed) publish(ctx, protocol::event::kStepCompleted, event(record.result), key);
}

CodeRound Activities::run_code(activity::Context& ctx, const CodeInput& in) {
  const DefinitionPtr agent = definition(in.agent, in.version);
  const ToolSpec& tool = code_tool(*agent, in.call);
  CodeRound out;
  const std::string ended = "tool:" + in.call.key;
  if (const auto record = require(deps_.store->lookup_step(ended), "looking up the code")) {
    publish(ctx, protocol::event::kStepCompleted,
            tool_event(in.call.step, tool.type->name, tool.name, record->result),
            fmt::format("step/{}/completed", in.call.step));
    return out;
  }
  if (in.previous.empty()) code_started(ctx, tool, in);
  out.key = code_round_key(in);
  if (const auto record = require(deps_.store->lookup_step(out.key), "looking up the code")) {
    plan_round(ctx, *agent, tool, in, record->result, out);
    return out;
  }
  std::vector<platform::StepWrite> carried;
  CodePast past = code_past(ctx, in, carried);
  CodeEnd end = code_end(ctx, *agent, tool, in, past);
  if (end.calls.empty()) {
    code_ended(ctx, *agent, tool, in, std::move(end), carried);
    return out;
  }
  platform::StepWrite write;
  write.key = out.key;
  write.run = ctx.info().workflow_id;
  write.result = dump_json(Json{
      {"previous", in.previous}, {"answers", answers_to_keep(in.answers)}, {"calls", std::move(end.calls)}});
  const auto record = require(deps_.outbox->commit_step(write, {}, carried), "storing what the code calls");
  code_pasts_.keep(out.key, std::move(past));
  plan_round(ctx, *agent, tool, in, record.result, out);
  return out;
}

}  // namespace holdfast::agent
