#include "definition/steering.h"

namespace holdfast::agent {

namespace {

using protocol::SteeringPolicy;

constexpr std::string_view kSteering =
    R"json({"enum": ["queue", "interrupt", "reject"], "description": "What becomes of a message into a running turn."})json";
constexpr std::string_view kOnFailure =
    R"json({"enum": ["fail", "park"], "description": "park: a step that fails for good waits for somebody to mend it and resume the run."})json";
constexpr std::string_view kOnReject =
    R"json({"enum": ["tell", "stop"], "description": "stop: a call that a person rejects ends the run, which undoes what it can."})json";

}  // namespace

void parse_steering(spec::MapReader& spec, Steering& out) {
  if (auto policy = spec.choice("steering", {"queue", "interrupt", "reject"}))
    out.policy = static_cast<SteeringPolicy>(*policy);
  out.park_on_failure = spec.choice("on_failure", {"fail", "park"}).value_or(0) == 1;
}

void parse_on_reject(spec::MapReader& approvals, Steering& out) {
  out.stop_on_reject = approvals.choice("on_reject", {"tell", "stop"}).value_or(0) == 1;
}

void add_steering(nlohmann::json& spec, const Steering& steering) {
  if (steering.policy != SteeringPolicy::kQueue) spec["steering"] = to_string(steering.policy);
  if (steering.park_on_failure) spec["on_failure"] = "park";
  if (steering.stop_on_reject) spec["approvals"]["on_reject"] = "stop";
}

void add_steering_schema(nlohmann::ordered_json& schema) {
  using Ordered = nlohmann::ordered_json;
  Ordered& spec = schema["properties"]["spec"]["properties"];
  spec["steering"] = Ordered::parse(kSteering);
  spec["on_failure"] = Ordered::parse(kOnFailure);
  schema["$defs"]["approvals"]["properties"]["on_reject"] = Ordered::parse(kOnReject);
}

}  // namespace holdfast::agent
