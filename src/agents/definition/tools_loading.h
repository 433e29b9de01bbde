#pragma once

// `tools_loading`: whether a model is told of all tools at once, or of a few, with a search that finds the
// others. What was found is loaded for the calls that follow, in that order, which progress of the run keeps.
//
// Values and pure functions; any thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace holdfast::spec {
class MapReader;
}

namespace holdfast::agent {

struct AgentDefinition;
struct ToolSpec;

// More tools than these are searched for, unless the definition says otherwise.
inline constexpr std::size_t kMaxToolsAtOnce = 128;
inline constexpr std::size_t kMaxPinnedTools = 64;
// Those found first make room for new ones.
inline constexpr std::size_t kMaxLoadedTools = 64;

enum class LoadingMode : std::uint8_t { kAuto, kAll, kSearch };

struct ToolsLoading {
  bool given = false;  // else nothing of it is in the canonical form
  LoadingMode mode = LoadingMode::kAuto;
  std::vector<std::string> pinned;  // names of tools that are always told of
};

inline constexpr std::string_view kToolsLoadingSchema = R"json({
  "description": "Whether the model is told of all tools, or finds them with search_tools.",
  "oneOf": [
    {"enum": ["auto", "all", "search"]},
    {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "mode": {"enum": ["auto", "all", "search"]},
        "pinned": {"type": "array", "maxItems": 64, "items": {"type": "string"}, "description": "Tools that the model is always told of."}
      }
    }
  ]
})json";

// When the tools are read.
void parse_tools_loading(spec::MapReader& spec, AgentDefinition& definition);
nlohmann::json tools_loading_json(const ToolsLoading& loading);

bool searches_tools(const AgentDefinition& agent);
// Whether the model is told of that tool of the agent's.
bool is_loaded(const AgentDefinition& agent, const ToolSpec& tool, const std::vector<std::string>& loaded);
// Adds what was found to what was found before.
void add_loaded(std::vector<std::string>& loaded, const std::vector<std::string>& found);

}  // namespace holdfast::agent
