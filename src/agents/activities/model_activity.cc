// One model call: conversation in, assistant message and planned tool calls out.

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/deploy.h"
#include "activities/redacted.h"
#include "agent/policy.h"
#include "base/check.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "holdfast/failure.h"
#include "protocol/events.h"
#include "spec/json_schema.h"

namespace holdfast::agent {

namespace {

std::string model_key(activity::Context& ctx, const ModelInput& in) {
  Json parts = {"model",        ctx.info().namespace_name, ctx.info().workflow_id, in.head.conversation,
                in.head.branch, in.head.sequence,          in.head.sha256,         in.iteration};
  return "model:" + sha256_hex(dump_json(parts));
}

// Fits start-to-close: the client's own timeout says more than the engine's.
std::chrono::milliseconds total_timeout(const ModelSpec& spec) {
  return spec.timeout - spec.timeout / 20;
}

std::size_t bytes_of(const model::Request& request) {
  std::size_t bytes = 0;
  for (const model::Message& message : request.messages) {
    for (const model::Part& part : message.content) bytes += part.text.size() + part.json.size();
    for (const model::ToolCall& call : message.tool_calls) bytes += call.arguments.size();
  }
  return bytes;
}

Json retry_json(const RetrySpec& retry) {
  return {{"initial_ms", retry.initial.count()},
          {"backoff", retry.backoff},
          {"maximum_ms", retry.max_interval.count()},
          {"attempts", retry.attempts}};
}

Verdict verdict_of(Action action) {
  switch (action) {
    case Action::kAllow: return Verdict::kAllow;
    case Action::kDeny: return Verdict::kDeny;
    case Action::kAsk: return Verdict::kAsk;
  }
  HF_CHECK(false);
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

std::shared_ptr<model::Client> Activities::client_for(const ModelSpec& spec, const std::string& version) {
  std::string key =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", version, spec.provider, spec.base_url, spec.api_version,
                  spec.api_key_env, spec.timeout.count(), spec.idle_timeout.count());
  std::lock_guard lock(mutex_);
  if (clients_.size() >= kMaxCachedClients) clients_.clear();  // calls under way keep theirs
  std::shared_ptr<model::Client>& client = clients_[key];
  if (!client) {
    model::Endpoint endpoint;
    auto provider = model::find_provider(spec.provider);
    if (!provider) throw ApplicationFailure::non_retryable(provider.error().message(), "UNIMPLEMENTED");
    endpoint.provider = *provider;
    endpoint.base_url = spec.base_url;
    endpoint.api_version = spec.api_version;
    endpoint.api_key = spec.api_key_env;
    endpoint.idle_timeout = spec.idle_timeout;
    endpoint.total_timeout = total_timeout(spec);
    const auto permits = deps_.grants->of(version);
    endpoint.reach = permits->reach();
    endpoint.redaction = redaction_;
    client = model::make_client(
        std::move(endpoint), *deps_.http, *deps_.clock,
        [permits, url = model_url(spec)](const std::string& name) { return permits->key(name, url); });
  }
  return client;
}

namespace {

constexpr std::size_t kMaxWrongOutputText = 600;

// An answer that is to be JSON of a form, and is not; another attempt may be better.
std::optional<model::Error> why_no_output(const AgentDefinition& agent, const model::Completion& answer) {
  const bool last =
      answer.stop_reason == model::StopReason::kEnd || answer.stop_reason == model::StopReason::kStopSequence;
  if (agent.output_schema.is_null() || !last) return std::nullopt;
  const auto wrong = [](const std::string& why) {
    return model::Error(model::ErrorKind::kInvalidOutput,
                        "the model's answer is not what `output_schema` says: " + why);
  };
  auto read = read_json(answer.message.text(), kMaxForeignJsonDepth, Integers::kExact);
  if (!read) return wrong(read.error().message());
  if (auto bad = spec::validate(agent.output_schema, *read)) return wrong(*bad);
  return std::nullopt;
}

}  // namespace

model::Request Activities::model_request(activity::Context& ctx, const AgentDefinition& agent,
                                         const ModelInput& in, const std::vector<model::Message>& answers) {
  model::Request request;
  request.model = agent.model.name;
  request.max_tokens = agent.model.max_tokens;
  request.temperature = agent.model.temperature;
  request.cache_marks = agent.model.cache_marks;
  if (!agent.output_schema.is_null()) request.output_schema = dump_json(agent.output_schema);
  request.messages.push_back(model::Message::system(agent.prompt));
  for (std::uint64_t first = 1; first <= in.head.sequence; first += platform::kMaxPage) {
    std::uint64_t last = std::min<std::uint64_t>(in.head.sequence, first + platform::kMaxPage - 1);
    auto page = require(deps_.store->read(in.head, first, last), "the conversation");
    for (const platform::Message& stored : page) {
      request.messages.push_back(require(model::message_from_json(stored.json), "a stored message"));
    }
    ctx.heartbeat();
  }
  request.messages.insert(request.messages.end(), answers.begin(), answers.end());
  for (const ToolSpec& tool : agent.tools) {
    model::ToolDefinition definition;
    definition.name = tool.name;
    definition.description = tool.description;
    definition.parameters = dump_json(visible_parameters(tool));
    request.tools.push_back(std::move(definition));
  }
  return request;
}

// What is read to find out is let go of while it waits.
model::Request Activities::model_request_in_turn(activity::Context& ctx, const AgentDefinition& agent,
                                                 const ModelInput& in,
                                                 const std::vector<model::Message>& answers,
                                                 const std::shared_ptr<net::LargeTurn>& turn) {
  if (!turn) return model_request(ctx, agent, in, answers);
  {
    const std::lock_guard lock(reading_);
    model::Request request = model_request(ctx, agent, in, answers);
    request.turn = turn;
    if (bytes_of(request) < net::kLargeExchange || turn->take()) return request;
  }
  while (!turn->take_within(kBeatInterval)) ctx.heartbeat();
  model::Request request = model_request(ctx, agent, in, answers);
  request.turn = turn;
  return request;
}

model::Outcome Activities::stream_model(activity::Context& ctx, const ModelSpec& spec,
                                        const model::Request& request, const ModelInput& in) {
  const auto attempt = static_cast<std::uint32_t>(ctx.info().attempt);
  std::shared_ptr<platform::StreamWriter> writer =
      require(deps_.streams->open(ctx.info().workflow_id, std::to_string(in.step), attempt),
              "opening the token stream");
  Beat beat(ctx);
  // The stream is for watching: should its disk fail, the completion still counts.
  const auto text = std::make_shared<Redaction::Stream>(*redaction_);
  auto on_delta = [writer, text](const model::Delta& delta) {
    if (delta.kind == model::Delta::Kind::kText) (void)writer->append(text->add(delta.text));
  };
  auto client = client_for(spec, in.version);
  model::Outcome outcome =
      model::call(*client, request, std::move(on_delta), beat.token(), {kBeatInterval, [&beat] { beat(); }});
  (void)writer->append(text->finish());
  return outcome;
}

PlannedCall Activities::plan_call(const AgentDefinition& agent, const model::ToolCall& call,
                                  std::uint32_t ordinal, const Json& context) {
  PlannedCall out;
  out.call.ordinal = ordinal;
  out.call.id = call.id;
  out.call.tool = call.name;
  auto invalid = [&](std::string why) {
    out.verdict = Verdict::kInvalid;
    out.reason = bounded_text(std::move(why), 2000);
    return out;
  };
  if (ordinal >= kMaxCallsPerTurn) {
    return invalid(fmt::format("more than {} calls in one turn; make fewer at once", kMaxCallsPerTurn));
  }
  const ToolSpec* tool = agent.find_tool(call.name);
  if (!tool) {
    std::string names;
    for (const ToolSpec& one : agent.tools) names += (names.empty() ? "" : ", ") + one.name;
    return invalid(
        fmt::format("there is no tool `{}`; the tools are: {}", call.name, names.empty() ? "none" : names));
  }
  out.kind = tool->type->name;
  if (nests_deeper(call.arguments, kMaxForeignJsonDepth)) {
    return invalid(fmt::format("the arguments nest deeper than {} levels", kMaxForeignJsonDepth));
  }
  auto read =
      read_json(call.arguments.empty() ? "{}" : call.arguments, kMaxForeignJsonDepth, Integers::kExact);
  if (!read) {
    const bool json = !parse_json(call.arguments).is_discarded();
    return invalid(json ? fmt::format("wrong arguments: {}", read.error().message())
                        : "the arguments are not valid JSON; send one JSON object");
  }
  Json& arguments = *read;
  const auto bound = bound_values(*tool, context);
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
  Ruling ruling = check_policy(agent.approvals, tool->name, arguments);
  out.verdict = verdict_of(ruling.action);
  out.reason = ruling.reason;
  out.arguments_sha256 = sha256_hex(dump_json(arguments));
  out.expires_after_ms = ruling.expires_after.count();
  out.approve_on_expiry = agent.approvals.approve_on_expiry;
  out.timeout_ms = tool->timeout.count();
  out.retry = retry_json(tool->retry);
  // Whatever becomes of an attempt, there is another one to look: only the effect ledger knows whether the
  // call may have been made, and it lets no call be made twice.
  if (tool->effect == Effect::kAtMostOnce) out.retry["attempts"] = 0;  // without end
  return out;
}

ModelTurn Activities::turn_of(activity::Context& ctx, const AgentDefinition& agent, const ModelInput& in,
                              const platform::StepRecord& record) {
  ModelTurn turn;
  turn.head = record.appended->head;
  Json result = Json::parse(record.result);
  result.at("usage").get_to(turn.usage);
  if (auto stop = result.find("stop"); stop != result.end()) turn.stop = stop->get<StopReason>();
  auto stored = require(deps_.store->read(turn.head, turn.head.sequence, turn.head.sequence), "the answer");
  auto message = require(model::message_from_json(stored.at(0).json), "the answer");
  const Json context = binds_context(agent) ? settings_at(in.settings).context : Json();
  Json calls = Json::array();
  for (std::uint32_t i = 0; i < message.tool_calls.size(); ++i) {
    const model::ToolCall& call = message.tool_calls[i];
    PlannedCall planned = plan_call(agent, call, i, context);
    if (turn.stop == StopReason::kMaxTokens) {
      // What is missing may be the end of these arguments or the calls that should go with them.
      planned.verdict = Verdict::kInvalid;
      planned.reason = fmt::format(
          "the answer was cut off at max_tokens ({}), so no call of it was made; say less at once",
          agent.model.max_tokens);
    }
    planned.call.message = turn.head;
    if (planned.verdict != Verdict::kInvalid) {
      Json arguments = Json::parse(call.arguments.empty() ? "{}" : call.arguments);
      if (planned.call.bound.is_object()) arguments.update(planned.call.bound);
      const std::string canonical = dump_json(arguments);
      planned.call.key = idempotency_key(ctx.info().namespace_name, turn.head, i, call.name, canonical);
    }
    calls.push_back({{"name", call.name},
                     {"arguments", excerpt(call.arguments)},
                     {"verdict", planned.verdict},
                     {"reason", planned.reason}});
    turn.calls.push_back(std::move(planned));
  }
  Json completed = {{"step", in.step},
                    {"kind", "model"},
                    {"name", agent.model.name},
                    {"iteration", in.iteration},
                    {"text", excerpt(message.text())},
                    {"tool_calls", calls},
                    {"stop", turn.stop ? to_string(*turn.stop) : ""},
                    {"usage", result.at("usage")}};
  // Blocks of the model that held a secret and were left out.
  if (const auto withheld = result.find("withheld_blocks"); withheld != result.end())
    completed["withheld_blocks"] = *withheld;
  publish(ctx, protocol::event::kStepCompleted, completed, fmt::format("step/{}/completed", in.step));
  return turn;
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

platform::Usage usage_row(activity::Context& ctx, const AgentDefinition& agent, const std::string& key,
                          const model::Completion& completion) {
  platform::Usage row;
  row.key = key;
  row.run = ctx.info().workflow_id;
  row.agent = agent.name;
  row.provider = agent.model.provider;
  row.model = completion.model.empty() ? agent.model.name : completion.model;
  row.input_tokens = completion.usage.input_tokens;
  row.output_tokens = completion.usage.output_tokens;
  row.cached_input_tokens = completion.usage.cached_input_tokens;
  return row;
}

}  // namespace

ModelTurn Activities::call_model(activity::Context& ctx, const ModelInput& in) {
  DefinitionPtr agent = definition(in.agent, in.version);
  const std::string key = model_key(ctx, in);
  if (auto record = require(deps_.store->lookup_step(key), "looking up the step")) {
    return turn_of(ctx, *agent, in, *record);
  }
  std::vector<model::Message> answers = answer_messages(ctx, in.answers);
  const auto turn = deps_.turns != nullptr ? deps_.turns->join() : nullptr;
  model::Request request = model_request_in_turn(ctx, *agent, in, answers, turn);
  publish_begun(ctx,
                {{"step", in.step},
                 {"kind", "model"},
                 {"name", agent->model.name},
                 {"iteration", in.iteration},
                 {"attempt", ctx.info().attempt}},
                fmt::format("step/{}/started/{}", in.step, ctx.info().attempt));
  model::Outcome outcome = stream_model(ctx, agent->model, request, in);
  if (outcome) {
    if (auto wrong = why_no_output(*agent, *outcome)) {
      // It may quote what was said; half a secret would be found by nobody.
      wrong->message = bounded_text(redaction_->apply(std::move(wrong->message)), kMaxWrongOutputText);
      outcome = std::unexpected(std::move(*wrong));
    }
  }
  if (!outcome) {
    if (outcome.error().kind == model::ErrorKind::kCancelled)
      throw CanceledFailure("the model call was canceled");
    Json event = {{"step", in.step},
                  {"attempt", ctx.info().attempt},
                  {"error_type", std::string(model::error_type(outcome.error().kind))},
                  {"error", outcome.error().message}};
    if (outcome.error().retry_after) event["retry_after_ms"] = outcome.error().retry_after->count();
    publish(ctx, outcome.error().retryable ? protocol::event::kStepRetrying : protocol::event::kStepFailed,
            event, fmt::format("step/{}/error/{}", in.step, ctx.info().attempt));
    throw_model_error(outcome.error());
  }
  const std::size_t withheld = redact(*redaction_, outcome->message);
  platform::StepWrite write;
  write.key = key;
  write.run = ctx.info().workflow_id;
  write.expected = in.head;
  for (const model::Message& message : answers) write.messages.push_back(model::to_json(message));
  write.messages.push_back(model::to_json(outcome->message));
  Json result = {{"usage", usage_json(outcome->usage)}, {"stop", stop_of(outcome->stop_reason)}};
  if (withheld > 0) result["withheld_blocks"] = withheld;
  write.result = dump_json(result);
  write.usage.push_back(usage_row(ctx, *agent, key, *outcome));
  auto record = require(deps_.store->commit_step(write), "storing the model's answer");
  return turn_of(ctx, *agent, in, record);
}

}  // namespace holdfast::agent
