#pragma once

// The models of a definition: `spec.model`, which every agent has, its `fallbacks`, and `spec.models`, one
// for each role that is to have another one. Every entry stands for itself: a fallback inherits nothing,
// because what it would inherit (an address, a key, a temperature) is another provider's.
//
// Pure; what is wrong goes to the reader.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "definition/definition.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

inline constexpr std::size_t kMaxFallbacks = 8;
inline constexpr std::size_t kMaxRoles = 16;

// `spec.model` and `spec.models` into `out`.
void parse_models(const Catalog& catalog, spec::MapReader& spec, AgentDefinition& out);
// Both into the canonical form of `spec`. What is absent stays absent.
void write_models(const AgentDefinition& definition, Json& spec);
// Both into the JSON Schema of agent.yaml.
void describe_models(const Catalog& catalog, nlohmann::ordered_json& schema);

// The model and its fallbacks, in the order in which they are asked. They point into `first`.
std::vector<const ModelSpec*> chain_of(const ModelSpec& first);

// What the model, and those that it falls back to, use of the machine. `url_of`: where one is.
Needs model_needs(const ModelSpec& first, const std::function<std::string(const ModelSpec&)>& url_of);

// `retry` of a model or a tool.
RetrySpec parse_retry(spec::MapReader& parent, RetrySpec fallback);
Json retry_json(const RetrySpec& retry);
// How long the next attempt waits behind so many failures in a row, one at least, as the engine would wait.
Duration interval_after(const RetrySpec& retry, int failures);

}  // namespace holdfast::agent
