#pragma once

// What a type of tool is to a definition: its name, the section of agent.yaml that belongs to it, and what it
// makes of a call before the call is made. A type is one constant in one file. What runs its calls stands
// there, too, and decides on which side: an ActivityTool (tool/activity_tool.h) in an activity, a
// WorkflowTool (agent/workflow_tool.h) in the workflow. A type without a part that every type has does not
// compile.
//
// Constants and pure functions; any thread.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "definition/bind.h"
#include "definition/detached.h"
#include "definition/mcp_servers.h"
#include "definition/need.h"
#include "definition/tool_hooks.h"
#include "holdfast/seams.h"
#include "protocol/activities.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

using Json = nlohmann::json;
using Duration = std::chrono::milliseconds;

struct RetrySpec {
  Duration initial{2000};
  double backoff = 2.0;
  Duration max_interval{30000};
  int attempts = 5;
};

using Effect = protocol::Effect;

// What the section of a tool says; each type derives its own.
struct ToolSettings {
  virtual ~ToolSettings() = default;
};

struct ToolType;

struct ToolSpec {
  std::string name;
  std::string description;
  const ToolType* type = nullptr;  // never null in what parse_definition() gives
  Effect effect = Effect::kPure;
  Json parameters;                     // JSON Schema of the arguments object
  ToolHooks hooks;                     // other tools that are called around this one
  Bindings bind;                       // arguments that the model does not give
  std::optional<DetachSpec> detached;  // its calls are not waited for
  Duration timeout{30000};
  RetrySpec retry{.initial = Duration(1000), .backoff = 2.0, .max_interval = Duration(30000), .attempts = 3};
  std::shared_ptr<const ToolSettings>
      settings;  // of its type; shared, because specs are copied and it never changes
};

// One tool while it is read: what all types have in common is in `tool` already. Mistakes go to `in`.
struct ToolReader {
  spec::MapReader& in;
  ToolSpec& tool;
  bool effect_given;
  std::string_view base_directory;
  const McpServers& mcp_servers;  // of the definition
};

// A call whose arguments fit the schema, before anybody is asked about it.
struct CallToPlan {
  const ToolSpec& tool;
  const Json& arguments;
  WallTime now;
};

struct ToolType {
  std::string_view name;    // what `type:` says, and the name of the section
  std::string_view schema;  // JSON Schema of the section, for editors
  // What is to be added when the section is missing: "with `url`". Empty: it may be left out.
  std::string_view section_needs = {};
  bool has_effect = false;         // `effect` is part of the canonical form
  bool has_attempts = true;        // `timeout` and `retry` are
  bool in_activity = false;        // its calls reach out from an activity; set by the list it is in
  bool notifies = false;           // it tells people or programs something: `notify` may use it
  bool hands_out_tokens = false;   // its calls can tell somebody how to complete them
  Duration timeout{30000};         // the default of one attempt
  Json (*parameters)() = nullptr;  // of a definition that gives none; null: no arguments

  // Reads the section into tool.settings, and decides tool.effect.
  void (*read)(ToolReader& reader) = nullptr;
  // The section with every default made explicit: valid input of `read`.
  Json (*canonical)(const ToolSpec& tool) = nullptr;
  // What the tool uses of the machine. A call gets at nothing that this leaves out, and at nothing that was
  // not granted.
  Needs (*needs)(const ToolSpec& tool) = nullptr;
  // What keeps a tool from being deployed though it can be read. May be null, like `plan`.
  std::optional<std::string> (*check)(const ToolSpec& tool) = nullptr;
  // Puts into `call` what the workflow must know to make it; or says what is wrong with the arguments, in
  // words that a model can act on.
  std::optional<std::string> (*plan)(const CallToPlan& call, protocol::PlannedCall& planned) = nullptr;
};

// Evaluated by the compiler: a throw is a compile error that shows its text.
consteval ToolType whole(ToolType type) {
  if (type.name.empty()) throw "a tool type needs a name";
  if (type.schema.empty()) throw "a tool type needs a schema of its section";
  if (!type.read) throw "a tool type needs a function that reads its section";
  if (!type.canonical) throw "a tool type needs a canonical form of its section";
  if (!type.needs) throw "a tool type needs a function that says what it uses of the machine";
  return type;
}

// Of a type that uses nothing of it.
inline Needs needs_nothing(const ToolSpec&) {
  return {};
}

template <typename Settings>
const Settings& settings_of(const ToolSpec& tool) {
  const auto* settings = dynamic_cast<const Settings*>(tool.settings.get());
  HF_CHECK(settings);
  return *settings;
}

// What a build knows. Whoever reads definitions brings it; the product's is agent_catalog()
// (activities/catalog.h).
struct Catalog {
  std::vector<const ToolType*> tools;
  std::vector<std::string_view> providers;  // of models

  const ToolType* find_tool(std::string_view name) const;
};

}  // namespace holdfast::agent
