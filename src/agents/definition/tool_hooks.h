#pragma once

// `reconcile`, `compensate` and `on_failure` of a tool: which other tool says whether an interrupted call
// took effect, which one takes the effect back, and whether a failure is told to the model or waits for
// somebody to mend it. Absent keys are left out of the canonical form. Values and pure functions.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "spec/condition.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

struct AgentDefinition;
struct ToolSpec;

// A call of another tool of the definition that no model makes. Strings of `arguments` may hold
// `{arguments.NAME}` and `{key}` of the call it is about, and for an undoing `{result.NAME}`.
struct HookCall {
  std::string tool;
  nlohmann::json arguments = nlohmann::json::object();
};

struct Reconcile {
  HookCall call;
  // Over the answer: true, it took effect; false, it did not; neither, a person is asked. None: see
  // activities/effect_hooks.h.
  std::optional<spec::Condition> happened;
  std::chrono::milliseconds after{2000};  // what is under way gets so long to arrive
};

struct ToolHooks {
  std::optional<Reconcile> reconcile;
  std::optional<HookCall> compensate;
  bool park_on_failure = false;
};

// Of one tool.
void parse_hooks(spec::MapReader& tool, ToolHooks& out);
// When all tools are read: a hook names one that is there and fits. `places`: where each tool stands.
void check_hooks(spec::YamlProblems& problems, const std::vector<YAML::Mark>& places,
                 const AgentDefinition& definition);

void add_hooks(nlohmann::json& tool, const ToolHooks& hooks);
void add_hooks_schema(nlohmann::ordered_json& schema);

}  // namespace holdfast::agent
