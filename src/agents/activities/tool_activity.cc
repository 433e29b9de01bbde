// One tool call, between the two entries of the effect ledger.

#include <fmt/format.h>

#include <algorithm>

#include "activities/activities.h"
#include "activities/builtin_tools.h"
#include "activities/carried_result.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "definition/written_arguments.h"
#include "holdfast/failure.h"
#include "oauth/tokens.h"
#include "protocol/events.h"
#include "protocol/flow_run.h"
#include "protocol/pure_tool.h"

namespace holdfast::agent {

namespace {

ToolResult result_of(const ToolSpec& tool, const std::string& record, AnswerSource source, std::string key) {
  const Json result = Json::parse(record);
  ToolResult out;
  const Json read = result;
  out.status = read.value("is_error", false) ? ToolStatus::kFailed : ToolStatus::kDone;
  // Where somebody is to mend it, the run says what is wrong.
  if (out.status == ToolStatus::kFailed && tool.hooks.park_on_failure)
    out.note = bounded_text(result.value("text", ""), 500);
  out.source = source;
  out.key = std::move(key);
  if (const auto loaded = read.find("loaded"); loaded != read.end()) loaded->get_to(out.loaded);
  out.planned_steps = read.value("planned_steps", 0);
  if (const auto approved = read.find("approved"); approved != read.end())
    out.approved = approved->get<bool>();
  return out;
}

ToolResult unknown(std::string note) {
  ToolResult out;
  out.status = ToolStatus::kUnknown;
  out.note = bounded_text(std::move(note), 500);
  return out;
}

// One of many alike is none, and nobody watches it.
bool is_step(const ToolInput& in) {
  return in.call.step != 0;
}

// Requests of one call, which say within which span they are made.
class WithHeaders final : public net::HttpClient {
 public:
  WithHeaders(net::HttpClient& http, net::Headers headers) : http_(http), headers_(std::move(headers)) {}
  void start(net::HttpRequest request, net::HttpHandler handler, std::stop_token stop) override {
    request.headers.insert(request.headers.end(), headers_.begin(), headers_.end());
    http_.start(std::move(request), std::move(handler), std::move(stop));
  }

 private:
  net::HttpClient& http_;
  const net::Headers headers_;
};

}  // namespace

std::string Activities::without_secrets(std::string text) const {
  text = redaction()->apply(std::move(text));
  return deps_.tokens == nullptr ? text : deps_.tokens->redact(std::move(text));
}

ToolResult Activities::call_approved(activity::Context& ctx, const ApprovedCall& in) {
  return call_tool(ctx, in.tool, &in.settles);
}

ToolResult Activities::call_tool(activity::Context& ctx, const ToolInput& in, const SettleInput* settles) {
  DefinitionPtr agent = definition(in.agent, in.version);
  const ToolSpec* tool = tool_named(*agent, in.call.tool);
  if (!tool)
    throw ApplicationFailure::non_retryable(fmt::format("there is no tool `{}`", in.call.tool), "NOT_FOUND");
  Json arguments = arguments_of(in.call);
  try {
    require_granted(ctx, *tool, in);
    spend_.tool(ctx, in);
  } catch (...) {  // not made, perhaps for long: that it was approved is told all the same
    if (settles != nullptr) settle_approval(ctx, *settles);
    throw;
  }
  if (tool->effect != Effect::kPure) return call_with_effect(ctx, *tool, in, arguments, settles);
  if (settles != nullptr) settle_approval(ctx, *settles);  // without an intent there is nothing to join
  return call_pure(ctx, *tool, in, arguments);
}

// Durable before the call is made; with it, how it was approved.
platform::EffectRecord Activities::begin_effect(activity::Context& ctx, const platform::EffectIntent& intent,
                                                const SettleInput* settles) {
  if (settles == nullptr) return require(deps_.store->begin_effect(intent), "recording the intent");
  const Settlement settled = settlement(ctx, *settles);
  return require(deps_.outbox->begin_effect(intent, settled.outcome, settled.tells),
                 "recording the decision and the intent");
}

ToolResult Activities::call_pure(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                                 const Json& arguments) {
  platform::StepWrite write;
  write.key = "tool:" + in.call.key;
  write.run = ctx.info().workflow_id;
  if (auto record = require(deps_.store->lookup_step(write.key), "looking up the call")) {
    in.completion.empty() ? tool_completed(ctx, tool, in, record->result)
                          : tell_detached(ctx, tool, in, record->result);
    return result_of(tool, record->result, AnswerSource::kStep, write.key);
  }
  ToolEnding ending = run_tool(ctx, tool, in, arguments);
  if (ending.ending == Ending::kRetry || ending.ending == Ending::kUnknown) retry_tool(ctx, tool, in, ending);
  const bool failed = ending.ending == Ending::kFailed;
  write.result = tool_record(ending.text, failed, ending.more);
  const bool may_carry = ctx.info().activity_type == kPureToolActivity;
  if (may_carry && !failed && write.result.size() <= kMaxCarriedBytes) {
    CarriedResult carried;
    carried.record = write.result;
    carried.step = in.call.step;
    carried.kind = tool.type->name;
    carried.tool = tool.name;
    carried.agent = in.agent;
    carried.version = in.version;
    publish_soon(ctx, protocol::event::kStepCompleted, carried.event(), carried.event_key());
    ToolResult out = result_of(tool, carried.record, AnswerSource::kStep, write.key);
    out.carried = carried.text();
    return out;
  }
  write.usage.push_back(Spend::tool_usage(write.run, in.agent, in.version, in.call));
  std::vector<platform::Told> tells;
  if (in.completion.empty()) tells.push_back(completed(ctx, tool, in, write.result));
  const auto record = require(deps_.outbox->commit_step(write, std::move(tells)), "storing the result");
  if (!in.completion.empty())
    tell_detached(ctx, tool, in, record.result);
  else if (record.replayed)
    tool_completed(ctx, tool, in, record.result);
  return result_of(tool, record.result, AnswerSource::kStep, write.key);
}

ToolResult Activities::call_with_effect(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                                        const Json& arguments, const SettleInput* settles) {
  platform::EffectIntent intent;
  intent.key = in.call.key;
  intent.run = ctx.info().workflow_id;
  intent.tool = tool.name;
  intent.effect = tool.effect;
  intent.arguments_sha256 = sha256_hex(dump_json(arguments));
  intent.usage = Spend::tool_usage(intent.run, in.agent, in.version, in.call);
  auto record = begin_effect(ctx, intent, settles);
  if (record.state != platform::EffectState::kSettled && is_completed(in)) {
    record =
        require(deps_.store->settle_effect(in.call.key, true, tool_record("(it has ended already)", false)),
                "settling the effect");
  }
  if (record.state == platform::EffectState::kUnknown && tool.effect == Effect::kAtMostOnce) {
    return unknown("an earlier attempt was interrupted after the call may have been sent");
  }
  if (record.state != platform::EffectState::kSettled) {
    ToolEnding ending = run_tool(ctx, tool, in, arguments);
    const bool open = ending.ending == Ending::kUnknown || ending.ending == Ending::kRetry;
    if (open && is_completed(in)) ending = ToolEnding(Ending::kDone, "(it has ended already)");
    if (ending.ending == Ending::kUnknown) return unknown(ending.text);
    if (ending.ending == Ending::kRetry) {
      // An at-most-once call that is refused as a whole had no effect, but its intent stands: a person
      // decides.
      if (tool.effect == Effect::kAtMostOnce) return unknown(ending.text);
      retry_tool(ctx, tool, in, ending);
    }
    const bool failed = ending.ending == Ending::kFailed;
    const std::string result = tool_record(ending.text, failed, ending.more);
    std::vector<platform::Told> tells;
    if (in.completion.empty() && is_step(in)) tells.push_back(completed(ctx, tool, in, result));
    auto [settled, stands] =
        require(deps_.outbox->settle_effect(intent.run, in.call.key, !failed, result, std::move(tells)),
                "settling the effect");
    if (stands && in.completion.empty())
      return result_of(tool, settled.result, AnswerSource::kEffect, in.call.key);
    record = std::move(settled);
  }
  in.completion.empty() ? tool_completed(ctx, tool, in, record.result)
                        : tell_detached(ctx, tool, in, record.result);
  return result_of(tool, record.result, AnswerSource::kEffect, in.call.key);
}

LargeOutput Activities::output_of(activity::Context& ctx, const AgentDefinition& agent, const CallRef& call) {
  LargeOutput out;
  out.run = ctx.info().workflow_id;
  out.conversation = call.message.conversation;
  out.limit = agent.limits.max_tool_output_bytes;
  out.readable = tool_named(agent, kReadOutput.name) != nullptr;
  out.beat = [&ctx] { ctx.heartbeat(); };
  return out;
}

ToolEnding Activities::run_tool(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                                const Json& arguments) {
  Json begun_event = {{"step", in.call.step},
                      {"kind", tool.type->name},
                      {"name", tool.name},
                      {"arguments", excerpt(dump_json(arguments))},
                      {"attempt", ctx.info().attempt},
                      {"key", in.call.key}};
  if (in.call.within != 0) begun_event["within"] = in.call.within;
  if (is_step(in)) {
    publish_begun(ctx, begun_event,
                  fmt::format("step/{}/{}/started/{}", in.call.step, in.call.key, ctx.info().attempt));
  }
  const MonotonicTime begun = deps_.clock->monotonic();
  ToolEnding ending = call_type(ctx, tool, in, arguments);
  metrics_.tool_call(in.agent, tool, ctx.info().attempt, ending.ending, deps_.clock->monotonic() - begun);
  if (ctx.is_cancelled() && ending.ending == Ending::kRetry) throw CanceledFailure("the call was canceled");
  DefinitionPtr agent = definition(in.agent, in.version);
  ending.text = without_secrets(std::move(ending.text));
  if (ending.ending == Ending::kRetry || ending.ending == Ending::kUnknown) return ending;  // no output yet
  if (!ending.more.is_object()) ending.more = Json::object();
  LargeOutput how = output_of(ctx, *agent, in.call);
  // Their own words come on top of what they read.
  how.limit = std::max(how.limit, builtin_of(tool) ? kBuiltinRoom : 0);
  ending.text = fit_output(*deps_.store, how, std::move(ending.text), ending.more);
  return ending;
}

ToolEnding Activities::call_type(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                                 const Json& arguments) {
  Beat beat(ctx);
  if (const BuiltinTool* builtin = builtin_of(tool)) {
    const DefinitionPtr agent = definition(in.agent, in.version);
    const auto permits = tool_permits(in.agent, in.call.team, in.call.environment);
    return builtin->run({*agent, arguments, *deps_.store, ctx.info().workflow_id,
                         in.call.message.conversation, [&beat] { beat(); }, permits.get()});
  }
  const ActivityTool* type = find_activity_tool(tool.type->name);
  if (!type) {
    throw ApplicationFailure::non_retryable(
        fmt::format("a tool of type `{}` does not run in an activity", tool.type->name), "UNIMPLEMENTED");
  }
  const auto permits = deps_.grants->of(in.version);
  ToolContext context;
  context.idempotency_key = in.call.key;
  context.stop = beat.token();
  context.beat = [&beat] { beat(); };
  WithHeaders traced(*deps_.http, trace_headers(ctx, in.call.step));
  context.http = &traced;
  context.clock = deps_.clock;
  context.mcp = deps_.mcp;
  context.tokens = deps_.tokens;
  context.memory = deps_.sql_memory;
  context.sql_connections = deps_.sql_connections;
  context.permits = permits.get();
  const auto secrets = redaction();
  context.redaction = secrets.get();
  context.store = deps_.store;
  context.run = ctx.info().workflow_id;
  context.agent = in.agent;
  context.conversation = in.call.message.conversation;
  // What takes back a block of a flow stands in its file, and is sent as it does
  // (definition/agent_in_flow.h).
  const std::string written =
      protocol::is_flow(in.agent) ? dump_json(in_order_of(tool.parameters, arguments)) : std::string();
  context.written = written;
  const auto completion = open_completion(ctx, in);
  if (!completion) return type->run(tool, arguments, context);
  context.completion_token = completion->token;
  context.completion_url = deps_.public_url + "/api/v1/completions/" + completion->token;
  ToolEnding ending = type->run(tool, arguments, context);
  // Who repeats what he was sent tells the model no secret.
  for (auto at = ending.text.find(completion->token); at != std::string::npos;
       at = ending.text.find(completion->token, at))
    ending.text.replace(at, completion->token.size(), "[token]");
  return ending;
}

platform::Told Activities::completed(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                                     const std::string& result) {
  return told(ctx, protocol::event::kStepCompleted,
              tool_event(in.call.step, tool.type->name, tool.name, result),
              fmt::format("step/{}/completed", in.call.step));
}

// By an attempt that finds what an earlier one came to.
void Activities::tool_completed(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                                const std::string& result) {
  if (!is_step(in)) return;
  publish(ctx, protocol::event::kStepCompleted, tool_event(in.call.step, tool.type->name, tool.name, result),
          fmt::format("step/{}/completed", in.call.step));
}

void Activities::retry_tool(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                            const ToolEnding& ending) {
  Json event = {{"step", in.call.step},
                {"attempt", ctx.info().attempt},
                {"error_type", "ToolError"},
                {"error", excerpt(ending.text)}};
  if (ending.retry_after) event["retry_after_ms"] = ending.retry_after->count();
  if (is_step(in)) {
    publish(ctx, protocol::event::kStepRetrying, event,
            fmt::format("step/{}/{}/error/{}", in.call.step, in.call.key, ctx.info().attempt));
  }
  std::optional<::holdfast::Duration> delay;
  if (ending.retry_after) delay = *ending.retry_after;
  throw ApplicationFailure(bounded_text(ending.text, 2000), "ToolError", false, {}, delay);
}

}  // namespace holdfast::agent
