#include "definition/model_section.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "definition/names.h"
#include "definition/value_name.h"
#include "spec/duration.h"

namespace holdfast::agent {

namespace {

using spec::MapReader;
using std::chrono::hours;

constexpr Duration kDay = hours(24);

// One entry, but for its fallbacks. `given`: it stands in the file.
ModelSpec parse_entry(const Catalog& catalog, MapReader& in, bool given) {
  ModelSpec out;
  if (auto provider = in.choice("provider", catalog.providers)) {
    out.provider = catalog.providers[*provider];
  } else if (given && !in.has("provider")) {
    in.missing("provider", fmt::format("{} (a compatible server: openai and its base_url)",
                                       alternatives(catalog.providers)));
  }
  out.base_url = in.text("base_url");
  if (!out.base_url.empty() && !is_http_url(out.base_url)) {
    in.problem("base_url", "must start with http:// or https://");
  }
  if (given) out.name = in.required_text("name");
  out.api_key_env = in.text("api_key_env");
  if (!out.api_key_env.empty() && !is_value_name(out.api_key_env)) {
    in.problem("api_key_env",
               "must be the name of an environment variable such as OPENAI_API_KEY, not a key");
    out.api_key_env.clear();
  }
  out.api_version = in.text("api_version");
  if (!out.api_version.empty() && !out.provider.starts_with("openai"))
    in.problem("api_version", "is Azure's, which speaks `openai` and `openai_responses`; remove it");
  out.cache_marks = in.boolean("cache_marks", false);
  out.max_tokens = static_cast<int>(in.integer("max_tokens", out.max_tokens, 1, 10'000'000));
  out.temperature = in.number("temperature", 0.0, 2.0);
  out.timeout = in.duration("timeout", out.timeout, Duration(100), hours(24));
  out.idle_timeout =
      in.duration("idle_timeout", std::min(out.idle_timeout, out.timeout), Duration(100), hours(24));
  out.retry = parse_retry(in, out.retry);
  return out;
}

bool is_same_endpoint(const ModelSpec& a, const ModelSpec& b) {
  return a.provider == b.provider && a.name == b.name && a.base_url == b.base_url &&
         a.api_key_env == b.api_key_env;
}

ModelSpec parse_fallback(const Catalog& catalog, const ModelSpec& first, MapReader& in) {
  ModelSpec out = parse_entry(catalog, in, true);
  if (in.has("fallbacks")) {
    in.child("fallbacks");
    in.problem("fallbacks", "a fallback has none of its own; list them all beside the first model");
  }
  const auto known = chain_of(first);
  if (!out.name.empty() && std::any_of(known.begin(), known.end(), [&](const ModelSpec* other) {
        return is_same_endpoint(*other, out);
      })) {
    in.problem(
        "name",
        fmt::format("`{}` is asked before already, at the same address with the same key; name another "
                    "model, or raise `retry.attempts` of that one",
                    out.name));
  }
  in.finish();
  return out;
}

ModelSpec parse_model(const Catalog& catalog, MapReader& in, bool given) {
  ModelSpec out = parse_entry(catalog, in, given);
  std::size_t index = 0;
  for (const YAML::Node& node : in.list("fallbacks", kMaxFallbacks)) {
    MapReader fallback(in.problems(), node, fmt::format("{}.fallbacks[{}]", in.path(), index++));
    out.fallbacks.push_back(parse_fallback(catalog, out, fallback));
  }
  in.finish();
  return out;
}

bool is_role_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

void parse_roles(const Catalog& catalog, MapReader& spec, AgentDefinition& out) {
  const YAML::Node models = spec.child("models");
  if (!models.IsDefined() || models.IsNull()) return;
  if (!models.IsMap()) {
    spec.problem("models", "must be a mapping of roles to models, for example `summarize: {provider: ...}`");
    return;
  }
  MapReader roles = spec.map("models");
  for (const auto& pair : models) {
    if (!pair.first.IsScalar()) continue;  // the reader has said so
    const std::string& role = pair.first.Scalar();
    MapReader in = roles.map(role);
    if (!is_role_name(role)) {
      roles.problem(role, "a role is named in lower-case letters, digits, `_` and `-`, 32 at most");
    } else if (out.models.size() >= kMaxRoles) {
      roles.problem(role, fmt::format("more than {} roles; remove some", kMaxRoles));
      return;
    }
    out.models.emplace(role, parse_model(catalog, in, true));
  }
  roles.finish();
}

Json entry_json(const ModelSpec& model) {
  Json out = {{"provider", model.provider},
              {"name", model.name},
              {"max_tokens", model.max_tokens},
              {"timeout", spec::format_duration(model.timeout)},
              {"idle_timeout", spec::format_duration(model.idle_timeout)},
              {"retry", retry_json(model.retry)}};
  if (!model.base_url.empty()) out["base_url"] = model.base_url;
  if (!model.api_key_env.empty()) out["api_key_env"] = model.api_key_env;
  if (model.temperature) out["temperature"] = *model.temperature;
  if (!model.api_version.empty()) out["api_version"] = model.api_version;
  if (model.cache_marks) out["cache_marks"] = true;
  for (const ModelSpec& fallback : model.fallbacks) out["fallbacks"].push_back(entry_json(fallback));
  return out;
}

}  // namespace

RetrySpec parse_retry(MapReader& parent, RetrySpec fallback) {
  MapReader in = parent.map("retry");
  RetrySpec out;
  out.initial = in.duration("initial", fallback.initial, Duration(1), hours(1));
  out.backoff = in.number("backoff", 1.0, 100.0).value_or(fallback.backoff);
  out.max_interval = in.duration("max_interval", fallback.max_interval, Duration(1), kDay);
  out.attempts = static_cast<int>(in.integer("attempts", fallback.attempts, 1, 1000));
  in.finish();
  return out;
}

Duration interval_after(const RetrySpec& retry, int failures) {
  const double longest = static_cast<double>(std::max(retry.initial, retry.max_interval).count());
  const double next = static_cast<double>(retry.initial.count()) * std::pow(retry.backoff, failures - 1);
  return Duration(static_cast<std::int64_t>(std::min(next, longest)));
}

Json retry_json(const RetrySpec& retry) {
  return {{"initial", spec::format_duration(retry.initial)},
          {"backoff", retry.backoff},
          {"max_interval", spec::format_duration(retry.max_interval)},
          {"attempts", retry.attempts}};
}

void parse_models(const Catalog& catalog, MapReader& spec, AgentDefinition& out) {
  MapReader in = spec.map("model");
  if (!spec.has("model")) spec.missing("model", "with `provider` and `name`");
  out.model = parse_model(catalog, in, spec.has("model"));
  parse_roles(catalog, spec, out);
}

void write_models(const AgentDefinition& definition, Json& spec) {
  spec["model"] = entry_json(definition.model);
  for (const auto& [role, model] : definition.models) spec["models"][role] = entry_json(model);
}

void describe_models(const Catalog& catalog, nlohmann::ordered_json& schema) {
  nlohmann::ordered_json model = schema["$defs"]["model"];
  for (std::string_view provider : catalog.providers)
    model["properties"]["provider"]["enum"].push_back(provider);
  schema["$defs"]["fallback"] = model;
  model["properties"]["fallbacks"] = {
      {"type", "array"},
      {"maxItems", kMaxFallbacks},
      {"items", {{"$ref", "#/$defs/fallback"}}},
      {"description", "Asked, in this order, when the model cannot answer. Each stands for itself."}};
  schema["$defs"]["model"] = std::move(model);
  schema["properties"]["spec"]["properties"]["models"] = {
      {"type", "object"},
      {"maxProperties", kMaxRoles},
      {"propertyNames", {{"pattern", "^[a-z][a-z0-9_-]{0,31}$"}}},
      {"additionalProperties", {{"$ref", "#/$defs/model"}}},
      {"description", "Models by role; a role that is not named has `model`."}};
}

std::vector<const ModelSpec*> chain_of(const ModelSpec& first) {
  std::vector<const ModelSpec*> out = {&first};
  for (const ModelSpec& fallback : first.fallbacks) out.push_back(&fallback);
  return out;
}

Needs model_needs(const ModelSpec& first, const std::function<std::string(const ModelSpec&)>& url_of) {
  Needs out;
  for (const ModelSpec* model : chain_of(first)) {
    const std::string url = url_of(*model);
    out.push_back({.kind = Need::Kind::kHost, .name = {}, .url = url});
    if (!model->api_key_env.empty())
      out.push_back({.kind = Need::Kind::kKey, .name = model->api_key_env, .url = url});
  }
  return out;
}

const ModelSpec& AgentDefinition::model_of(std::string_view role) const {
  const auto found = models.find(role);
  return found == models.end() ? model : found->second;
}

}  // namespace holdfast::agent
