#pragma once

// For tests: a definition with one tool, as its entry stands in the file.

#include <string>
#include <string_view>

#include "activities/catalog.h"

namespace holdfast::agent {

inline Result<AgentDefinition> read_one_tool(std::string_view entry) {
  return parse_definition(
      "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n"
      "  model: {provider: openai, name: m}\n  prompt: p\n  tools:\n    - " +
          std::string(entry),
      "agent.yaml");
}

// What is wrong with it; empty: nothing.
inline std::string error_of_tool(std::string_view entry) {
  auto definition = read_one_tool(entry);
  return definition ? "" : std::string(definition.error().message());
}

}  // namespace holdfast::agent
