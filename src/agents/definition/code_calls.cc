#include "definition/code_calls.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace holdfast::agent {

namespace {

bool is_pattern(std::string_view name) {
  return name == "*" || name.ends_with("__*");
}

bool fits(std::string_view name, std::string_view tool) {
  if (name == "*" || name == tool) return true;
  return name.ends_with("__*") && tool.starts_with(name.substr(0, name.size() - 1));
}

// Why code cannot call it, though it is there; empty: it can.
std::string_view why_not(const ToolSpec& tool) {
  if (tool.type && tool.type->name == kCodeType) return "is code itself, and code does not call code";
  if (tool.detached) return "is `detached`, and code needs the answer of what it calls";
  return {};
}

std::string wrong_name(const AgentDefinition& definition, const std::string& name) {
  const McpServer* server = server_of_tool(definition.mcp_servers, name);
  if (is_pattern(name)) {
    return name == "*" || server != nullptr
               ? std::string()
               : fmt::format("`{}` names a server that is not in spec.mcp_servers", name);
  }
  if (const ToolSpec* tool = definition.find_tool(name)) {
    const std::string_view why = why_not(*tool);
    return why.empty() ? std::string() : fmt::format("`{}` {}", name, why);
  }
  if (server != nullptr) return {};  // it is asked for what it has when the definition is deployed
  std::vector<std::string> names;
  for (const ToolSpec& one : definition.tools) names.push_back(one.name);
  const std::string_view near = spec::nearest_name(name, names);
  return fmt::format(
      "there is no tool `{}`; {}", name,
      near.empty() ? "name one of spec.tools, or \"*\" for all" : fmt::format("did you mean `{}`?", near));
}

}  // namespace

bool may_call(const ToolSpec& code, const ToolSpec& other) {
  if (!why_not(other).empty()) return false;
  return std::ranges::any_of(settings_of<CodeSettings>(code).tools,
                             [&](const std::string& name) { return fits(name, other.name); });
}

std::vector<std::string> callable_tools(const AgentDefinition& agent, const ToolSpec& code) {
  std::vector<std::string> out;
  for (const ToolSpec& tool : agent.tools) {
    if (may_call(code, tool)) out.push_back(tool.name);
  }
  return out;
}

// The tools are told of beside it, with their parameters; with many of them, as far as they were found.
std::string code_description(const AgentDefinition& agent, const ToolSpec& code) {
  const std::string which =
      searches_tools(agent) ? std::string("each tool that you have been told of or have found")
                            : fmt::format("these tools: {}", fmt::join(callable_tools(agent, code), ", "));
  return fmt::format(
      "{}{}Runs `code`, JavaScript: the body of an async function. In it, `await tools.NAME({{...}})` calls "
      "{}. "
      "A call takes the arguments that the tool takes and gives its result, parsed where it is JSON; one "
      "that "
      "fails throws. Calls in `Promise.all` are made at the same time. `return` gives the result, and "
      "console.log adds lines to it. There is no clock, no randomness, no network and no module. At most {} "
      "calls. Use it for loops, for many calls, and for results that need not be seen whole.",
      code.description, code.description.empty() ? "" : "\n", which,
      settings_of<CodeSettings>(code).max_calls);
}

void check_code(spec::YamlProblems& problems, const std::vector<YAML::Mark>& places,
                const AgentDefinition& definition) {
  for (std::size_t i = 0; i < definition.tools.size() && i < places.size(); ++i) {
    const ToolSpec& tool = definition.tools[i];
    const auto* settings = dynamic_cast<const CodeSettings*>(tool.settings.get());
    if (settings == nullptr) continue;
    for (const std::string& name : settings->tools) {
      if (const std::string wrong = wrong_name(definition, name); !wrong.empty())
        problems.add(places[i], fmt::format("`spec.tools[{}].code.tools`: {}", i, wrong));
    }
    if (tool.detached)
      problems.add(places[i],
                   fmt::format("`spec.tools[{}].detached`: code is waited for, since it may wait for people "
                               "itself; remove it",
                               i));
  }
}

}  // namespace holdfast::agent
