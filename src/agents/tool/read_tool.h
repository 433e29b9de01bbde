#pragma once

// For tests: the one tool of a definition, given as the text of its entry in spec.tools.

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "definition/definition.h"
#include "tool/activity_tool.h"

namespace holdfast::agent {

inline Result<AgentDefinition> read_with_tool(std::string_view entry) {
  Catalog catalog;
  for (const ActivityTool* tool : activity_tools()) catalog.tools.push_back(&tool->type);
  catalog.providers = {"openai"};
  const std::string text =
      "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n"
      "  model: {provider: openai, name: m}\n  prompt: p\n  tools:\n    - " +
      std::string(entry);
  return parse_definition(catalog, text, "agent.yaml");
}

inline ToolSpec read_tool(std::string_view entry) {
  auto read = read_with_tool(entry);
  EXPECT_TRUE(read.has_value()) << read.error().message() << "\n" << entry;
  return read ? read->tools.at(0) : ToolSpec();
}

// What is wrong with it.
inline std::string why_no_tool(std::string_view entry) {
  const auto read = read_with_tool(entry);
  return read ? "" : std::string(read.error().message());
}

}  // namespace holdfast::agent
