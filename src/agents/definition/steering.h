#pragma once

// `steering`, `on_failure` and `approvals.on_reject` of agent.yaml: what becomes of a message into a running
// turn, of a step that fails for good, and of a run whose call a person rejects. Absent keys are left out of
// the canonical form, so that versions without them keep their hash. Values and pure functions.

#include <string_view>

#include <nlohmann/json.hpp>

#include "protocol/steering.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

struct Steering {
  protocol::SteeringPolicy policy = protocol::SteeringPolicy::kQueue;
  bool park_on_failure = false;
  bool stop_on_reject = false;
};

// `spec.steering` and `spec.on_failure`.
void parse_steering(spec::MapReader& spec, Steering& out);
// `approvals.on_reject`, within that section.
void parse_on_reject(spec::MapReader& approvals, Steering& out);

// Into the JSON of `spec`, which has `approvals` already.
void add_steering(nlohmann::json& spec, const Steering& steering);
// Into the JSON Schema of agent.yaml.
void add_steering_schema(nlohmann::ordered_json& schema);

}  // namespace holdfast::agent
