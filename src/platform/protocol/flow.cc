#include "protocol/flow.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::protocol {

namespace {

using Json = nlohmann::json;

template <typename Each>
void each_rule(Each each, auto& rules) {
  each("concurrency", rules.concurrency);
  each("throttle", rules.throttle);
  each("throttle_ms", rules.throttle_ms);
  each("rate", rules.rate);
  each("rate_ms", rules.rate_ms);
  each("debounce_ms", rules.debounce_ms);
  each("debounce_timeout_ms", rules.debounce_timeout_ms);
  each("batch", rules.batch);
  each("batch_ms", rules.batch_ms);
  each("max_waiting", rules.max_waiting);
}

}  // namespace

std::string to_text(const FlowRules& rules) {
  Json out = Json::object();
  each_rule(
      [&](const char* name, auto value) {
        if (value != 0) out[name] = value;
      },
      rules);
  return dump_json(out);
}

FlowRules flow_rules_of(std::string_view text) {
  FlowRules out;
  const Json json = parse_json<Json>(std::string(text));
  if (!json.is_object()) return out;
  each_rule(
      [&](const char* name, auto& value) {
        const auto found = json.find(name);
        if (found != json.end() && found->is_number_integer()) found->get_to(value);
      },
      out);
  return out;
}

}  // namespace holdfast::protocol
