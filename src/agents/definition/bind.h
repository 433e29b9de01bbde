#pragma once

// `bind` of a tool: arguments that the model neither sees nor gives. Their values stand in the definition, or
// are taken from the context of the run, which whoever starts it gives. They are merged behind what the model
// sent before anything looks at a call: schema, policy, the hash of the arguments, the people who are asked.
//
// Pure functions; any thread.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "holdfast/status.h"

namespace holdfast::spec {
class MapReader;
}

namespace holdfast::agent {

using Json = nlohmann::json;

struct ToolSpec;
struct AgentDefinition;

// What a run is told at its start for tools to bind: it travels with calls, through histories.
inline constexpr std::size_t kMaxContextBytes = 16 * 1024;

struct Binding {
  Json value;                      // when `run` is none
  std::optional<std::string> run;  // the name in the run's context
};
using Bindings = std::map<std::string, Binding>;  // by argument

// Reads `bind` of a tool whose parameters are read. Mistakes go to `in`.
void parse_bind(spec::MapReader& in, ToolSpec& tool);
Json bind_json(const Bindings& bind);

// The parameters as the model sees them.
Json visible_parameters(const ToolSpec& tool);
// Whether a tool of the agent takes anything from the run's context.
bool binds_context(const AgentDefinition& agent);
// Says of a context everything that keeps the tools from binding what they want. FAILED_PRECONDITION: it
// lacks something; INVALID_ARGUMENT: it is none, or a value is not what a tool takes. `context` null: none.
Status check_context(const AgentDefinition& agent, const Json& context);
// The bound arguments of a call, an object; null when there are none.
Result<Json> bound_values(const ToolSpec& tool, const Json& context);
// The same, of a call of which everything is known.
Json bound_values_of(const ToolSpec& tool, const Json& arguments);

// Merges; what is wrong when the arguments hold one of them already.
std::optional<std::string> bind_arguments(Json& arguments, const Json& bound);
// The same for a person, who sees them all and sends them back.
std::optional<std::string> rebind_arguments(Json& arguments, const Json& bound);

}  // namespace holdfast::agent
