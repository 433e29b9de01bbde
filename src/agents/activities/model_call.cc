// Which model an attempt asks, the waiting until its key lets it, and the asking. Nothing that waits here
// runs against the model's timeout: the activity gives signs of life meanwhile (docs/adr/0049).

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "activities/activities.h"
#include "activities/deploy.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "definition/model_section.h"
#include "holdfast/failure.h"
#include "protocol/events.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

// How often one who waits looks whether it is cancelled, and every how many looks it says that it lives.
constexpr int kLooksPerBeat = 6;

// Fits start-to-close: the client's own timeout says more than the engine's.
milliseconds total_timeout(const ModelSpec& spec) {
  return spec.timeout - spec.timeout / 20;
}

model::KeyUse use_of(const ModelSpec& spec) {
  return {.key = spec.api_key_env, .host = model::host_of(model_url(spec)), .model = spec.name};
}

std::string endpoint_of(const ModelSpec& spec) {
  return fmt::format("{} {}", model::origin_of(spec.provider, model_url(spec)), spec.api_key_env);
}

// What it may come to, for limits of tokens: four bytes are about one, and the answer may be as long as it
// may.
std::int64_t tokens_of(const model::Request& request) {
  std::size_t bytes = bytes_of(request);
  for (const model::ToolDefinition& tool : request.tools)
    bytes += tool.name.size() + tool.description.size() + tool.parameters.size();
  return static_cast<std::int64_t>(bytes / 4) + request.max_tokens.value_or(0);
}

// Written by the client's thread, read behind the end of the call.
struct FirstPiece {
  std::atomic<bool> came = false;
  MonotonicTime at{};
};

}  // namespace

std::size_t bytes_of(const model::Request& request) {
  std::size_t bytes = 0;
  for (const model::Message& message : request.messages) {
    for (const model::Part& part : message.content) bytes += part.text.size() + part.json.size();
    for (const model::ToolCall& call : message.tool_calls) bytes += call.arguments.size();
  }
  return bytes;
}

Json ModelChoice::passed_over_json() const {
  Json out = Json::array();
  for (const PassedOver& one : passed_over)
    out.push_back({{"provider", one.model->provider}, {"name", one.model->name}, {"why", one.why}});
  return out;
}

void ModelChoice::write_to(Json& result) const {
  if (position == 0) return;
  result["model"] = position;
  result["instead_of"] = passed_over_json();
}

const ModelSpec& Activities::answered_by(const AgentDefinition& agent, const ModelInput& in,
                                         const Json& result) {
  const auto chain = chain_of(agent.model_of(in.role));
  return *chain[std::min<std::size_t>(result.value("model", std::size_t{0}), chain.size() - 1)];
}

// ---- which

// `entering`: the call is to be made if there is none.
std::optional<Obstacle> Activities::obstacle_to(const ModelSpec& spec, ModelChoice* entering) {
  if (deps_.gate != nullptr) {
    if (const milliseconds left = deps_.gate->held_back(use_of(spec)); left > milliseconds(0))
      return Obstacle{left, "its provider wants to be left alone"};
  }
  if (deps_.breakers == nullptr) return std::nullopt;
  if (entering == nullptr) {
    const auto left = deps_.breakers->open_for(endpoint_of(spec));
    return left ? std::optional(Obstacle{*left, "its circuit is open"}) : std::nullopt;
  }
  auto call = deps_.breakers->enter(endpoint_of(spec));
  if (!call) {
    return Obstacle{call.error(), call.error() > milliseconds(0) ? "its circuit is open"
                                                                 : "one call tries whether it works again"};
  }
  entering->call.emplace(*std::move(call));
  return std::nullopt;
}

ModelChoice Activities::choose_model(activity::Context& ctx, const ModelInput& in, ModelRoute& route) {
  ModelChoice out;
  out.spec = &route.at(0);
  if (!route.has_fallbacks()) {
    // There is nobody to turn to: the call is made, and its retries pace it.
    if (deps_.breakers != nullptr) out.call.emplace(deps_.breakers->enter_anyway(endpoint_of(*out.spec)));
    return out;
  }
  const WallTime now = deps_.clock->now();
  const auto position =
      route.choose(now, [&](const ModelSpec& spec) { return obstacle_to(spec, &out); }, out.passed_over);
  if (position) {
    out.position = *position;
    out.spec = &route.at(*position);
    ctx.heartbeat(route.state());
    return out;
  }
  route.waited();
  const auto next = route.next_in(now, [&](const ModelSpec& spec) { return obstacle_to(spec, nullptr); });
  std::string why;
  for (const PassedOver& one : out.passed_over)
    why += fmt::format("{}{} {}: {}", why.empty() ? "" : "; ", one.model->provider, one.model->name, one.why);
  Json event = {{"step", in.step},
                {"attempt", ctx.info().attempt},
                {"error_type", "ModelsUnavailableError"},
                {"error", "no model of the role can be asked now: " + why}};
  if (next) event["retry_after_ms"] = next->count();
  publish(ctx, next ? protocol::event::kStepRetrying : protocol::event::kStepFailed, event,
          fmt::format("step/{}/error/{}", in.step, ctx.info().attempt));
  // Twice: one may be under way when the attempt ends, the other goes with its end.
  ctx.heartbeat(route.state());
  ctx.heartbeat(route.state());
  std::optional<Duration> delay;
  if (next) delay = std::max(*next, milliseconds(1));
  throw ApplicationFailure(event.at("error").get<std::string>(), "ModelsUnavailableError", !next, {}, delay);
}

void Activities::go_on_with_another(activity::Context& ctx, const ModelInput& in, const ModelChoice& chosen,
                                    ModelRoute& route, const model::Error& error, Json event) {
  const WallTime now = deps_.clock->now();
  route.failed(chosen.position, error, now);
  const auto next = route.next_in(now, [&](const ModelSpec& spec) { return obstacle_to(spec, nullptr); });
  if (!next) event["error"] = "no model of the role could answer: " + route.why_not();
  if (next) event["next_attempt_ms"] = next->count();
  publish(ctx, next ? protocol::event::kStepRetrying : protocol::event::kStepFailed, event,
          fmt::format("step/{}/error/{}", in.step, ctx.info().attempt));
  ctx.heartbeat(route.state());
  ctx.heartbeat(route.state());
  std::optional<Duration> delay;
  if (next) delay = std::max(*next, milliseconds(1));
  throw ApplicationFailure(event.at("error").get<std::string>(), std::string(model::error_type(error.kind)),
                           !next, {}, delay);
}

// ---- when

void Activities::wait_for_key(activity::Context& ctx, const ModelInput& in, const ModelChoice& chosen,
                              const std::function<bool(milliseconds)>& ready) {
  for (int looks = 0; !ready(looks == 0 ? milliseconds(0) : kBeatInterval); ++looks) {
    ctx.throw_if_cancelled();
    if (looks == 1) {
      Json waiting = {{"step", in.step},
                      {"kind", "model"},
                      {"attempt", ctx.info().attempt},
                      {"limit", chosen.pass->limit_name()}};
      const milliseconds held = deps_.gate->held_back(use_of(*chosen.spec));
      if (held > milliseconds(0)) waiting["until"] = iso_time(deps_.clock->now() + held);
      publish(ctx, protocol::event::kStepWaiting, waiting,
              fmt::format("step/{}/waiting/{}", in.step, ctx.info().attempt));
    }
    if (looks % kLooksPerBeat == 0) ctx.heartbeat();
  }
}

void Activities::take_slot(activity::Context& ctx, const AgentDefinition& agent, const ModelInput& in,
                           ModelChoice& chosen) {
  if (deps_.gate == nullptr) return;
  chosen.pass = deps_.gate->join(use_of(*chosen.spec), agent.name);
  wait_for_key(ctx, in, chosen, [&](milliseconds longest) { return chosen.pass->slot_within(longest); });
}

// ---- how

std::shared_ptr<model::Client> Activities::client_for(const ModelSpec& spec, const std::string& version) {
  // A client keeps what it leaves out of texts: other secrets, another client.
  auto secrets = redaction();
  std::string key =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", version, spec.provider, spec.base_url, spec.api_version,
                  spec.api_key_env, spec.timeout.count(), spec.idle_timeout.count(), fmt::ptr(secrets.get()));
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
    endpoint.redaction = std::move(secrets);
    client = model::make_client(
        std::move(endpoint), *deps_.http, *deps_.clock,
        [permits, url = model_url(spec)](const std::string& name) { return permits->key(name, url); });
  }
  return client;
}

// A trace that cannot be read is no reason to make no call.
net::Headers Activities::trace_headers(activity::Context& ctx, std::uint32_t step) {
  const std::string& run = ctx.info().workflow_id;
  std::optional<platform::TraceContext> trace;
  {
    std::lock_guard lock(mutex_);
    if (const auto found = traces_.find(run); found != traces_.end()) trace = found->second;
  }
  if (!trace) {
    auto read = platform::trace_of(*deps_.store, run);
    if (!read) return {};
    trace = *std::move(read);
    std::lock_guard lock(mutex_);
    if (traces_.size() >= kMaxCachedTraces) traces_.clear();
    traces_[run] = *trace;
  }
  if (!trace->given && !deps_.propagates_traces) return {};
  net::Headers out = {{"traceparent", trace->traceparent(platform::step_span_id(trace->trace_id, run, step,
                                                                                ctx.info().attempt))}};
  if (!trace->state.empty()) out.emplace_back("tracestate", trace->state);
  return out;
}

model::Outcome Activities::stream_model(activity::Context& ctx, const ModelSpec& spec, model::Request request,
                                        const ModelInput& in) {
  request.headers = trace_headers(ctx, in.step);
  const auto attempt = static_cast<std::uint32_t>(ctx.info().attempt);
  std::shared_ptr<platform::StreamWriter> writer =
      require(deps_.streams->open(ctx.info().workflow_id, std::to_string(in.step), attempt),
              "opening the token stream");
  Beat beat(ctx);
  // The stream is for watching: should its disk fail, the completion still counts.
  const auto secrets = redaction();
  const auto text = std::make_shared<Redaction::Stream>(*secrets);
  const MonotonicTime sent = deps_.clock->monotonic();
  const auto first = std::make_shared<FirstPiece>();
  auto on_delta = [writer, secrets, text, first, clock = deps_.clock](const model::Delta& delta) {
    if (!first->came.load()) first->at = clock->monotonic(), first->came = true;
    if (delta.kind == model::Delta::Kind::kText) (void)writer->append(text->add(delta.text));
  };
  auto client = client_for(spec, in.version);
  model::Outcome outcome =
      model::call(*client, request, std::move(on_delta), beat.token(), {kBeatInterval, [&beat] { beat(); }});
  (void)writer->append(text->finish());
  const MonotonicTime now = deps_.clock->monotonic();
  metrics_.model_call(in.agent, spec, ctx.info().attempt, outcome, now - sent,
                      first->came ? std::optional(first->at - sent) : std::nullopt);
  return outcome;
}

std::optional<model::Outcome> Activities::ask_model(activity::Context& ctx, const AgentDefinition& agent,
                                                    const ModelInput& in,
                                                    const std::vector<model::Message>& answers,
                                                    ModelChoice& chosen, Allowance& allowance,
                                                    const std::string& key) {
  const ModelSpec& spec = *chosen.spec;
  const auto& pass = chosen.pass;
  const auto turn = deps_.turns != nullptr ? deps_.turns->join() : nullptr;
  model::Request request = model_request_in_turn(ctx, agent, spec, in, answers, turn);
  if (is_too_much(agent, spec, in, request, answers)) return std::nullopt;
  if (pass) {
    const std::int64_t tokens = tokens_of(request);
    wait_for_key(ctx, in, chosen, [&](milliseconds longest) { return pass->send_within(tokens, longest); });
  }
  allowance = spend_.allow(ctx, spec, request, key);
  Json started = {{"step", in.step},
                  {"kind", "model"},
                  {"name", spec.name},
                  {"iteration", in.iteration},
                  {"attempt", ctx.info().attempt},
                  {"provider", spec.provider},
                  {"server", model::host_of(model_url(spec))}};
  if (!chosen.passed_over.empty()) started["instead_of"] = chosen.passed_over_json();
  publish_begun(ctx, started, fmt::format("step/{}/started/{}", in.step, ctx.info().attempt));
  model::Outcome outcome = stream_model(ctx, spec, std::move(request), in);
  if (chosen.call) chosen.call->ended(outcome ? model::CallEnd::kWorked : model::end_of(outcome.error()));
  if (pass && outcome) {
    const std::int64_t tokens = outcome->usage.input_tokens + outcome->usage.output_tokens;
    if (tokens > 0) pass->used(tokens);
  }
  if (pass && !outcome && outcome.error().retry_after) pass->hold_back(*outcome.error().retry_after);
  return outcome;
}

}  // namespace holdfast::agent
