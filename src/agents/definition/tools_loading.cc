#include "definition/tools_loading.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "definition/definition.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

namespace {

constexpr std::array<std::string_view, 3> kModes = {"auto", "all", "search"};

std::vector<std::string_view> modes() {
  return {kModes.begin(), kModes.end()};
}

bool holds(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void parse_pinned(spec::MapReader& in, const AgentDefinition& definition, ToolsLoading& out) {
  for (const YAML::Node& node : in.list("pinned", kMaxPinnedTools)) {
    const std::string name = node.IsScalar() ? node.Scalar() : "";
    if (!definition.find_tool(name)) {
      in.problems().add(node.Mark(), fmt::format("`spec.tools_loading.pinned`: there is no tool `{}`; name "
                                                 "one of spec.tools",
                                                 name));
    } else if (!holds(out.pinned, name)) {
      out.pinned.push_back(name);
    }
  }
}

}  // namespace

void parse_tools_loading(spec::MapReader& spec, AgentDefinition& definition) {
  const YAML::Node node = spec.child("tools_loading");
  if (!spec.has("tools_loading")) return;
  ToolsLoading& out = definition.tools_loading;
  out.given = true;
  if (node.IsScalar()) {
    if (auto mode = spec.choice("tools_loading", modes())) out.mode = static_cast<LoadingMode>(*mode);
    return;
  }
  spec::MapReader in = spec.map("tools_loading");
  if (auto mode = in.choice("mode", modes())) out.mode = static_cast<LoadingMode>(*mode);
  parse_pinned(in, definition, out);
  in.finish();
}

nlohmann::json tools_loading_json(const ToolsLoading& loading) {
  return {{"mode", kModes[static_cast<std::size_t>(loading.mode)]}, {"pinned", loading.pinned}};
}

bool searches_tools(const AgentDefinition& agent) {
  switch (agent.tools_loading.mode) {
    case LoadingMode::kAll: return false;
    case LoadingMode::kSearch: return !agent.tools.empty();
    case LoadingMode::kAuto: return agent.tools.size() > kMaxToolsAtOnce;
  }
  return false;
}

bool is_loaded(const AgentDefinition& agent, const ToolSpec& tool, const std::vector<std::string>& loaded) {
  return !searches_tools(agent) || holds(agent.tools_loading.pinned, tool.name) || holds(loaded, tool.name);
}

void add_loaded(std::vector<std::string>& loaded, const std::vector<std::string>& found) {
  for (const std::string& name : found) {
    if (!holds(loaded, name)) loaded.push_back(name);
  }
  if (loaded.size() > kMaxLoadedTools)
    loaded.erase(loaded.begin(), loaded.end() - static_cast<std::ptrdiff_t>(kMaxLoadedTools));
}

}  // namespace holdfast::agent
