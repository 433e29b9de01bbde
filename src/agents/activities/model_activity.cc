// One model call: conversation in, assistant message and planned tool calls out.

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/asking.h"
#include "activities/builtin_tools.h"
#include "activities/deploy.h"
#include "activities/effect_hooks.h"
#include "activities/redacted.h"
#include "base/byte_order_mark.h"
#include "base/check.h"
#include "base/json.h"
#include "base/json_repeats.h"
#include "base/sha256.h"
#include "base/text.h"
#include "holdfast/failure.h"
#include "protocol/events.h"
#include "protocol/pure_tool.h"
#include "spec/json_schema.h"

namespace holdfast::agent {

namespace {

std::string model_key(activity::Context& ctx, const ModelInput& in) {
  Json parts = {"model",        ctx.info().namespace_name, ctx.info().workflow_id, in.head.conversation,
                in.head.branch, in.head.sequence,          in.head.sha256,         in.iteration};
  return "model:" + sha256_hex(dump_json(parts));
}

Json retry_json(const RetrySpec& retry) {
  return {{"initial_ms", retry.initial.count()},
          {"backoff", retry.backoff},
          {"maximum_ms", retry.max_interval.count()},
          {"attempts", retry.attempts}};
}

struct ToRule {
  const Json& arguments;
  const std::string& requester;
  WallTime now;
};

// What the policy says, as far as it can be said before the call is about to be made.
void plan_policy(const AgentDefinition& agent, const ToolSpec& tool, const ToRule& call, PlannedCall& out,
                 std::optional<ShadowRuling>& shadow) {
  PolicyFacts facts;
  facts.now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(call.now.time_since_epoch()).count();
  const Ruling ruling = ruling_of(agent, tool, call.arguments, facts);
  Asking asking = asking_of(agent.approvals, ruling, call.requester);
  out.expires_after_ms = asking.expires_after_ms;
  out.approve_on_expiry = asking.approve_on_expiry;
  if (is_judged_late(agent, tool)) {
    out.verdict = Verdict::kJudge;
    return;
  }
  out.verdict = verdict_of(ruling.action);
  out.reason = ruling.reason;
  if (ruling.action == Action::kAsk) out.rule = ruling.rule;
  out.terms = std::move(asking.terms);
  shadow = ruling.shadow;
}

StopReason stop_of(model::StopReason reason) {
  switch (reason) {
    case model::StopReason::kEnd: return StopReason::kEnd;
    case model::StopReason::kToolCalls: return StopReason::kToolCalls;
    case model::StopReason::kMaxTokens: return StopReason::kMaxTokens;
    case model::StopReason::kStopSequence: return StopReason::kStopSequence;
    case model::StopReason::kPaused: return StopReason::kPaused;
  }
  HF_CHECK(false);
}

}  // namespace

namespace {

constexpr std::size_t kMaxWrongOutputText = 600;

// An answer that is to be JSON of a form, and is not; another attempt may be better.
std::optional<model::Error> why_no_output(const AgentDefinition& agent, const ModelInput& in,
                                          const model::Completion& answer) {
  const bool last =
      answer.stop_reason == model::StopReason::kEnd || answer.stop_reason == model::StopReason::kStopSequence;
  if (!may_be_final(in) || agent.output_schema.is_null() || !last || !answer.message.tool_calls.empty())
    return std::nullopt;
  const auto wrong = [](const std::string& why) {
    return model::Error(model::ErrorKind::kInvalidOutput,
                        "the model's answer is not what `output_schema` says: " + why);
  };
  const std::string text = answer.message.text();
  // What readers of JSON disagree on is not handed on as if it had been checked.
  if (text.starts_with(kByteOrderMark)) return wrong("it begins with a byte order mark");
  auto read = read_json(text, kMaxForeignJsonDepth, Integers::kExact);
  if (!read) return wrong(read.error().message());
  if (auto name = repeated_member(text))
    return wrong("an object has the member " + dump_json(Json(cut_text(*name, 100))) + " twice");
  if (auto bad = spec::validate(agent.output_schema, *read)) return wrong(*bad);
  return std::nullopt;
}

// What the model is told, as its user would.
std::string to_mend(const std::string& wrong) {
  return "Your answer could not be used: " + wrong +
         "\nAnswer again, with JSON of that form and nothing else.";
}

}  // namespace

// What is read to find out is let go of while it waits.
model::Request Activities::model_request_in_turn(activity::Context& ctx, const AgentDefinition& agent,
                                                 const ModelSpec& spec, const ModelInput& in,
                                                 const std::vector<model::Message>& answers,
                                                 const std::shared_ptr<net::LargeTurn>& turn) {
  if (!turn) return model_request(ctx, agent, spec, in, answers);
  {
    const std::lock_guard lock(reading_);
    model::Request request = model_request(ctx, agent, spec, in, answers);
    request.turn = turn;
    if (bytes_of(request) < net::kLargeExchange || turn->take()) return request;
  }
  while (!turn->take_within(kBeatInterval)) ctx.heartbeat();
  model::Request request = model_request(ctx, agent, spec, in, answers);
  request.turn = turn;
  return request;
}

namespace {

// INVALID_ARGUMENT says what is wrong with what the model wrote, as the model reads it.
Result<Json> written_arguments(const std::string& text) {
  const auto wrong = [](std::string why) { return fail(Code::kInvalidArgument, std::move(why)); };
  if (nests_deeper(text, kMaxForeignJsonDepth))
    return wrong(fmt::format("the arguments nest deeper than {} levels", kMaxForeignJsonDepth));
  auto read = read_json(text.empty() ? "{}" : text, kMaxForeignJsonDepth, Integers::kExact);
  if (!read) {
    const bool json = !parse_json(text).is_discarded();
    return wrong(json ? fmt::format("wrong arguments: {}", read.error().message())
                      : "the arguments are not valid JSON; send one JSON object");
  }
  // A person who allows the call, or a tool that reads it, may see the other of the two.
  if (auto name = repeated_member(text))
    return wrong(fmt::format("wrong arguments: an object has the member {} twice",
                             dump_json(Json(cut_text(*name, 100)))));
  return read;
}

}  // namespace

PlannedCall Activities::plan_call(const AgentDefinition& agent, const model::ToolCall& call,
                                  std::uint32_t ordinal, const ModelInput& in, const PlanningOf& run,
                                  std::optional<ShadowRuling>& shadow) {
  PlannedCall out;
  out.call.ordinal = ordinal;
  out.call.id = call.id;
  out.call.tool = call.name;
  out.call.team = agent.team;
  out.call.environment = run.environment;
  auto invalid = [&](std::string why) {
    out.verdict = Verdict::kInvalid;
    out.reason = bounded_text(std::move(why), 2000);
    return out;
  };
  if (ordinal >= kMaxCallsPerTurn) {
    return invalid(fmt::format("more than {} calls in one turn; make fewer at once", kMaxCallsPerTurn));
  }
  const ToolSpec* tool = tool_named(agent, call.name);
  if (!tool) return invalid(no_such_tool(agent, call.name));
  if (!is_offered(agent, *tool, in.role))
    return invalid(fmt::format("`{}` is not for the {}", call.name, in.role.empty() ? "agent" : in.role));
  if (!builtin_of(*tool) && !is_loaded(agent, *tool, in.loaded))
    return invalid(fmt::format("`{}` is not loaded: find it with `{}` first", call.name, kSearchTools.name));
  out.kind = tool->type->name;
  auto read = written_arguments(call.arguments);
  if (!read) return invalid(read.error().message());
  Json& arguments = *read;
  if (auto refusal = run.permits && !builtin_of(*tool) ? run.permits->refusal(tool->name) : std::nullopt) {
    out.verdict = Verdict::kDeny;
    out.reason = *std::move(refusal);
    return out;
  }
  const auto bound = bound_values(*tool, run.context);
  if (!bound) return invalid(bound.error().message());
  if (auto bad = bind_arguments(arguments, *bound)) return invalid(fmt::format("wrong arguments: {}", *bad));
  out.call.bound = *bound;
  if (auto bad = spec::validate(tool->parameters, arguments))
    return invalid(fmt::format("wrong arguments: {}", *bad));
  if (tool->type->plan) {
    if (auto bad = tool->type->plan({*tool, arguments, deps_.clock->now()}, out)) {
      return invalid(fmt::format("wrong arguments: {}", *bad));
    }
  }
  out.arguments_sha256 = sha256_hex(dump_json(arguments));
  plan_policy(agent, *tool, {arguments, in.requester, deps_.clock->now()}, out, shadow);
  out.timeout_ms = tool->timeout.count();
  out.retry = retry_json(tool->retry);
  // Whatever becomes of an attempt, there is another one to look: only the effect ledger knows whether the
  // call may have been made, and it lets no call be made twice.
  if (tool->effect == Effect::kAtMostOnce) out.retry["attempts"] = 0;  // without end
  if (tool->effect == Effect::kPure && tool->type->in_activity && out.input.is_null())
    out.input = {{kPureCall, true}};
  plan_hooks(agent, *tool, out);
  if (tool->detached) {
    out.detached.emplace();
    out.detached->by = tool->detached->by;
    out.detached->deadline_ms = tool->detached->deadline.count();
  }
  return out;
}

Activities::PlannedTurn Activities::plan_turn(const AgentDefinition& agent, const ModelInput& in,
                                              const Json& result, const std::string& message) {
  PlannedTurn out;
  ModelTurn& turn = out.turn;
  out.message = require(model::message_from_json(message), "the answer");
  result.at("usage").get_to(turn.usage);
  if (auto stop = result.find("stop"); stop != result.end()) turn.stop = stop->get<StopReason>();
  const auto mend = result.find("mend");
  turn.mend = mend != result.end();
  const ModelSpec& spec = answered_by(agent, in, result);
  PlanningOf run;
  if (binds_context(agent)) run.context = settings_at(in.settings).context;
  run.environment = environment_at(in.settings);
  run.permits = tool_permits(agent.name, agent.team, run.environment);
  Json calls = Json::array();
  for (std::uint32_t i = 0; i < out.message.tool_calls.size(); ++i) {
    const model::ToolCall& call = out.message.tool_calls[i];
    std::optional<ShadowRuling> shadow;
    PlannedCall planned = plan_call(agent, call, i, in, run, shadow);
    if (turn.stop == StopReason::kMaxTokens) {
      // What is missing may be the end of these arguments or the calls that should go with them.
      planned.verdict = Verdict::kInvalid;
      planned.reason = fmt::format(
          "the answer was cut off at max_tokens ({}), so no call of it was made; say less at once",
          spec.max_tokens);
    }
    calls.push_back({{"name", call.name},
                     {"arguments", excerpt(call.arguments)},
                     {"verdict", planned.verdict},
                     {"reason", planned.reason}});
    if (shadow) calls.back()["shadow"] = shadow_json(*shadow);
    if (shadow) metrics_.shadow(agent.name, shadow->action);
    turn.calls.push_back(std::move(planned));
  }
  Json& completed = out.completed;
  completed = {{"step", in.step},
               {"kind", "model"},
               {"name", spec.name},
               {"iteration", in.iteration},
               {"text", excerpt(out.message.text())},
               {"tool_calls", std::move(calls)},
               {"stop", turn.stop ? to_string(*turn.stop) : ""},
               {"usage", result.at("usage")}};
  // Blocks of the model that held a secret and were left out.
  if (const auto withheld = result.find("withheld_blocks"); withheld != result.end())
    completed["withheld_blocks"] = *withheld;
  if (turn.mend) completed["mend"] = *mend;
  if (const auto passed_over = result.find("instead_of"); passed_over != result.end()) {
    completed["provider"] = spec.provider;
    completed["instead_of"] = *passed_over;
  }
  for (const char* about_cost : {"cost", "uncounted", "usage_told"}) {
    if (const auto found = result.find(about_cost); found != result.end()) completed[about_cost] = *found;
  }
  return out;
}

ModelTurn Activities::placed(activity::Context& ctx, PlannedTurn planned, const ConversationRef& head) {
  ModelTurn turn = std::move(planned.turn);
  turn.head = head;
  for (std::uint32_t i = 0; i < turn.calls.size(); ++i) {
    const model::ToolCall& call = planned.message.tool_calls[i];
    CallRef& place = turn.calls[i].call;
    place.message = head;
    if (turn.calls[i].verdict == Verdict::kInvalid) continue;
    Json arguments = Json::parse(call.arguments.empty() ? "{}" : call.arguments);
    if (place.bound.is_object()) arguments.update(place.bound);
    place.key = idempotency_key(ctx.info().namespace_name, head, i, call.name, dump_json(arguments));
  }
  return turn;
}

ModelTurn Activities::turn_of(activity::Context& ctx, const AgentDefinition& agent, const ModelInput& in,
                              const platform::StepRecord& record) {
  const ConversationRef& head = record.appended->head;
  const Json result = Json::parse(record.result);
  // Behind an answer that is to be mended stands what is wrong with it.
  const std::uint64_t at = head.sequence - (result.contains("mend") ? 1 : 0);
  const auto stored = require(deps_.store->read(head, at, at), "the answer");
  PlannedTurn planned = plan_turn(agent, in, result, stored.at(0).json);
  planned.completed["message"] = at;
  publish(ctx, protocol::event::kStepCompleted, planned.completed, fmt::format("step/{}/completed", in.step));
  return placed(ctx, std::move(planned), head);
}

namespace {

// Throws what the engine's retry policy acts on.
[[noreturn]] void throw_model_error(const model::Error& error) {
  std::optional<Duration> delay;
  if (error.retry_after) delay = *error.retry_after;
  throw ApplicationFailure(error.message, std::string(model::error_type(error.kind)), !error.retryable, {},
                           delay);
}

// What was counted, and of what it is a part only where there was any.
Json usage_json(const model::Usage& usage) {
  Tokens tokens;
  tokens.input_tokens = usage.input_tokens;
  tokens.output_tokens = usage.output_tokens;
  Json out = tokens;
  if (usage.cached_input_tokens > 0) out["cached_input_tokens"] = usage.cached_input_tokens;
  if (usage.cache_write_tokens > 0) out["cache_write_tokens"] = usage.cache_write_tokens;
  if (usage.reasoning_tokens > 0) out["reasoning_tokens"] = usage.reasoning_tokens;
  return out;
}

}  // namespace

void Activities::fail_model_call(activity::Context& ctx, const ModelInput& in, const ModelChoice& chosen,
                                 ModelRoute& route, const model::Error& error) {
  if (error.kind == model::ErrorKind::kCancelled) throw CanceledFailure("the model call was canceled");
  Json event = {{"step", in.step},
                {"attempt", ctx.info().attempt},
                {"error_type", std::string(model::error_type(error.kind))},
                {"error", error.message}};
  if (error.retry_after) event["retry_after_ms"] = error.retry_after->count();
  if (error.http_status != 0) event["http_status"] = error.http_status;
  if (route.has_fallbacks()) event["name"] = chosen.spec->name;
  const bool over = !error.retryable && (!route.has_fallbacks() || is_final_for_all(error));
  if (route.has_fallbacks() && !over) go_on_with_another(ctx, in, chosen, route, error, std::move(event));
  publish(ctx, over ? protocol::event::kStepFailed : protocol::event::kStepRetrying, event,
          fmt::format("step/{}/error/{}", in.step, ctx.info().attempt));
  throw_model_error(error);
}

namespace {

platform::StepWrite step_after(const ConversationRef& head, const std::vector<model::Message>& answers) {
  platform::StepWrite out;
  out.expected = head;
  for (const model::Message& message : answers) out.messages.push_back(model::to_json(message));
  return out;
}

// The conversation is too long to be told.
ModelTurn compact_first(const ModelInput& in) {
  ModelTurn out;
  out.head = in.head;
  out.compact = true;
  return out;
}

}  // namespace

void Activities::spoiled(const Allowance& allowance, const platform::Usage& used) {
  metrics_.used(used);
  spend_.spoiled(allowance, used);
}

ModelTurn Activities::call_model(activity::Context& ctx, const ModelInput& in) {
  DefinitionPtr agent = definition(in.agent, in.version);
  const std::string key = model_key(ctx, in);
  if (auto record = require(deps_.store->lookup_step(key), "looking up the step")) {
    return turn_of(ctx, *agent, in, *record);
  }
  tell_interruption(ctx, in.interrupted_step);
  ModelRoute route(agent->model_of(in.role), ctx.last_heartbeat<Json>());
  ModelChoice chosen = choose_model(ctx, in, route);
  take_slot(ctx, *agent, in, chosen);
  std::vector<platform::StepWrite> carried;
  std::vector<model::Message> answers = answer_messages(ctx, in.answers, carried);
  add_ends(ctx, in.ended, answers, carried);
  add_messages(ctx, in.messages, in.step, answers);
  add_directions(ctx, in, answers);
  Allowance allowance;
  std::optional<model::Outcome> asked = ask_model(ctx, *agent, in, answers, chosen, allowance, key);
  if (!asked) return compact_first(in);
  model::Outcome outcome = std::move(*asked);
  std::optional<std::string> mend;
  std::optional<Json> claimed;  // of a usage that cannot be
  if (outcome) {
    claimed = Spend::admit(allowance, *outcome);
    if (auto wrong = why_no_output(*agent, in, *outcome)) {
      // It may quote what was said; half a secret would be found by nobody.
      wrong->message = bounded_text(redaction()->apply(std::move(wrong->message)), kMaxWrongOutputText);
      if (in.mending == Mending::kMayBeTold) {
        mend = std::move(wrong->message);
      } else {
        spoiled(allowance, Spend::usage(ctx, agent->name, in.version, *chosen.spec, allowance, *outcome));
        wrong->retryable = !in.mending;
        outcome = std::unexpected(std::move(*wrong));
      }
    }
  }
  if (!outcome) {
    spend_.failed(allowance, outcome.error());
    fail_model_call(ctx, in, chosen, route, outcome.error());
  }
  const std::size_t withheld = redact(*redaction(), outcome->message);
  platform::StepWrite write = step_after(in.head, answers);
  write.key = key;
  write.run = ctx.info().workflow_id;
  const std::string said = model::to_json(outcome->message);
  write.messages.push_back(said);
  if (mend) write.messages.push_back(model::to_json(model::Message::user(to_mend(*mend))));
  Json result = {{"usage", usage_json(outcome->usage)}, {"stop", stop_of(outcome->stop_reason)}};
  if (withheld > 0) result["withheld_blocks"] = withheld;
  if (mend) result["mend"] = *mend;
  chosen.write_to(result);
  write.usage.push_back(Spend::usage(ctx, agent->name, in.version, *chosen.spec, allowance, *outcome));
  write.usage.back().key = key;
  write.settles = allowance.key;
  result["cost"] = cost_json(write.usage.back().cost, write.usage.back().price_as_of);
  if (write.usage.back().uncounted) result["uncounted"] = true;
  if (claimed) result["usage_told"] = *claimed;
  write.result = dump_json(result);
  PlannedTurn planned = plan_turn(*agent, in, result, said);
  planned.completed["message"] = in.head.sequence + answers.size() + 1;  // where a fork goes on behind it
  const std::string once = fmt::format("step/{}/completed", in.step);
  const auto record =
      require(deps_.outbox->commit_step(
                  write, {told(ctx, protocol::event::kStepCompleted, planned.completed, once)}, carried),
              "storing the model's answer");
  if (record.replayed) return turn_of(ctx, *agent, in, record);
  metrics_.used(write.usage.back());
  transcripts_.wrote(in.head, write.messages, record.appended->head);
  return placed(ctx, std::move(planned), record.appended->head);
}

}  // namespace holdfast::agent
