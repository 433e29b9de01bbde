#pragma once

// `flow` of agent.yaml: when runs of the agent may begin, by a key over what they are given. Absent it is
// left out of the canonical form, so that versions without it keep their hash. Values and pure functions.

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "protocol/flow.h"
#include "spec/condition.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

struct FlowSpec {
  std::string key;                      // text with {input.PATH} and {context.PATH}; empty: one line for all
  std::optional<spec::Condition> when;  // over the same; a run that it is false for begins at once
  protocol::FlowRules rules;
};

std::optional<FlowSpec> parse_flow(spec::MapReader& spec);
nlohmann::json flow_json(const FlowSpec& flow);
std::string_view flow_schema();

}  // namespace holdfast::agent
