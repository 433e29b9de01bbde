#include "activities/agent_metrics.h"

#include <cctype>

namespace holdfast::agent {

namespace {

constexpr double kNanosPerDollar = 1e9;

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// "RateLimitedError" is rate_limited.
std::string in_words(std::string_view type) {
  if (type.ends_with("Error")) type.remove_suffix(5);
  std::string out;
  for (const char c : type) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0 && !out.empty()) out += '_';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string_view outcome_of(Ending ending) {
  switch (ending) {
    case Ending::kDone: return "done";
    case Ending::kFailed: return "failed";
    case Ending::kRetry: return "retry";
    case Ending::kUnknown: return "unknown";
  }
  return "unknown";
}

std::string_view state_name(model::Breaker::State state) {
  switch (state) {
    case model::Breaker::State::kClosed: return "closed";
    case model::Breaker::State::kOpen: return "open";
    case model::Breaker::State::kHalfOpen: return "half_open";
  }
  return "closed";
}

}  // namespace

AgentMetrics::Families::Families(metrics::Registry& registry)
    : calls(registry.counter({"holdfast_model_calls",
                              "Attempts at model calls, by how they ended: ok, or why not.",
                              "",
                              {"agent", "provider", "model", "outcome"}})),
      call_time(registry.histogram({"holdfast_model_call_duration_seconds",
                                    "How long attempts at model calls took, from the request to the end.",
                                    "seconds",
                                    {"provider", "model"}})),
      first_time(registry.histogram({"holdfast_model_time_to_first_token_seconds",
                                     "Until the first piece of a model's answer came.",
                                     "seconds",
                                     {"provider", "model"}})),
      retries(registry.counter({"holdfast_model_retries",
                                "Attempts at model calls that followed one that failed.",
                                "",
                                {"provider", "model"}})),
      rate_limited(registry.counter({"holdfast_model_rate_limited",
                                     "Model calls that the provider answered with status 429.",
                                     "",
                                     {"provider", "model"}})),
      tokens(registry.counter({"holdfast_model_tokens",
                               "Tokens that were booked: input and output; cached_input and cache_write are "
                               "parts of input, reasoning is a part of output.",
                               "",
                               {"agent", "provider", "model", "type"}})),
      cost(registry.counter({"holdfast_model_cost_usd",
                             "What calls of models cost, as far as they have a price.",
                             "usd",
                             {"agent", "provider", "model"}})),
      unpriced(registry.counter({"holdfast_model_unpriced_calls",
                                 "Booked calls of models that no price list knows.",
                                 "",
                                 {"agent", "provider", "model"}})),
      tools(registry.counter({"holdfast_tool_calls",
                              "Attempts at tool calls, by how they ended: done, failed, retry or unknown.",
                              "",
                              {"agent", "tool", "type", "outcome"}})),
      tool_time(registry.histogram({"holdfast_tool_call_duration_seconds",
                                    "How long attempts at tool calls took.",
                                    "seconds",
                                    {"tool", "type"}})),
      tool_retries(registry.counter({"holdfast_tool_retries",
                                     "Attempts at tool calls that followed one that came to nothing.",
                                     "",
                                     {"agent", "tool"}})),
      sub_agents(registry.counter({"holdfast_sub_agent_runs_ended",
                                   "Runs that another run called, and how they ended.",
                                   "",
                                   {"agent", "status"}})),
      shadows(registry.counter(
          {"holdfast_policy_shadow",
           "Calls that rules in shadow would have treated otherwise, by what they would have done.",
           "",
           {"agent", "action"}})) {}

void AgentMetrics::shadow(const std::string& agent, Action action) {
  if (families_) families_->shadows.add({agent, to_string(action)});
}

AgentMetrics::AgentMetrics(metrics::Registry* registry) {
  if (registry != nullptr) families_.emplace(*registry);
}

void AgentMetrics::model_call(const std::string& agent, const ModelSpec& model, int attempt,
                              const model::Outcome& outcome, Took took, std::optional<Took> first) {
  if (!families_) return;
  const std::string ended = outcome ? "ok" : in_words(model::error_type(outcome.error().kind));
  families_->calls.add({agent, model.provider, model.name, ended});
  families_->call_time.observe({model.provider, model.name}, seconds(took));
  if (first) families_->first_time.observe({model.provider, model.name}, seconds(*first));
  if (attempt > 1) families_->retries.add({model.provider, model.name});
  if (!outcome && outcome.error().http_status == 429)
    families_->rate_limited.add({model.provider, model.name});
}

void AgentMetrics::used(const platform::Usage& usage) {
  if (!families_) return;
  const std::pair<const char*, std::int64_t> types[] = {{"input", usage.input_tokens},
                                                        {"output", usage.output_tokens},
                                                        {"cached_input", usage.cached_input_tokens},
                                                        {"cache_write", usage.cache_write_tokens},
                                                        {"reasoning", usage.reasoning_tokens}};
  for (const auto& [type, count] : types) {
    if (count > 0)
      families_->tokens.add({usage.agent, usage.provider, usage.model, type}, static_cast<double>(count));
  }
  if (usage.cost) {
    families_->cost.add({usage.agent, usage.provider, usage.model},
                        static_cast<double>(*usage.cost) / kNanosPerDollar);
  } else {
    families_->unpriced.add({usage.agent, usage.provider, usage.model});
  }
}

void AgentMetrics::tool_call(const std::string& agent, const ToolSpec& tool, int attempt, Ending ending,
                             Took took) {
  if (!families_) return;
  families_->tools.add({agent, tool.name, tool.type->name, outcome_of(ending)});
  families_->tool_time.observe({tool.name, tool.type->name}, seconds(took));
  if (attempt > 1) families_->tool_retries.add({agent, tool.name});
}

void AgentMetrics::sub_agent_ended(const std::string& agent, std::string_view status) {
  if (families_) families_->sub_agents.add({agent, status});
}

// ---- what stands at this moment

void read_gate(metrics::Reading& out, const model::Gate& gate) {
  const std::vector<model::KeyState> states = gate.states();
  const auto write = [&](const char* name, const char* help, const char* unit, auto&& value) {
    std::vector<metrics::Series> series;
    for (const model::KeyState& one : states) series.push_back({{one.name}, value(one)});
    out.gauge({name, help, unit, {"key"}}, series);
  };
  write("holdfast_model_slots_in_use", "Model calls under way with a key.", "",
        [](const auto& key) { return static_cast<double>(key.in_use); });
  write("holdfast_model_slots", "Model calls that a key may have under way.", "",
        [](const auto& key) { return static_cast<double>(key.limit.concurrency); });
  write("holdfast_model_slots_waiting", "Model calls that wait for a key's slot, or for its minute.", "",
        [](const auto& key) { return static_cast<double>(key.waiting); });
  write("holdfast_model_key_requests", "Requests of the last minute with a key.", "",
        [](const auto& key) { return static_cast<double>(key.requests); });
  write("holdfast_model_key_tokens", "Tokens of the last minute with a key.", "",
        [](const auto& key) { return static_cast<double>(key.tokens); });
  write("holdfast_model_key_held_back_seconds", "For how long a provider wants a key to be left alone.",
        "seconds", [](const auto& key) { return seconds(key.held_back); });
}

void read_breakers(metrics::Reading& out, const model::Breakers& breakers) {
  using State = model::Breaker::State;
  std::vector<metrics::Series> series;
  for (const auto& [circuit, state] : breakers.states()) {
    std::string endpoint = circuit;  // "PROVIDER HOST KEY", where there is a key
    if (endpoint.ends_with(' ')) endpoint.pop_back();
    for (const State one : {State::kClosed, State::kOpen, State::kHalfOpen})
      series.push_back({{endpoint, std::string(state_name(one))}, one == state ? 1.0 : 0.0});
  }
  out.gauge({"holdfast_model_circuit_state",
             "1 for the state in which a provider's circuit is.",
             "",
             {"endpoint", "state"}},
            series);
}

}  // namespace holdfast::agent
