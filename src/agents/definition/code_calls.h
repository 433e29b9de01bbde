#pragma once

// The section `code` of a tool with `type: code`: which tools of the agent its code may call, and how much it
// may take (docs/adr/0082). Values and pure functions; any thread.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "definition/definition.h"

namespace holdfast::agent {

inline constexpr std::string_view kCodeType = "code";
inline constexpr int kMostCodeCalls = 1000;
// Of one round: they and their answers go through a history.
inline constexpr std::size_t kMostCodeCallsAtOnce = 128;
// Of all code of one turn, whose history is one.
inline constexpr int kMostCodeCallsOfTurn = 2000;
// Of what the calls of one piece of code came to, all together: it is read for each run of the code.
inline constexpr std::size_t kMaxCodeResults = 8 << 20;

struct CodeSettings : ToolSettings {
  std::vector<std::string> tools;  // names, "SERVER__*", or "*": all that code may call
  int max_calls = 100;
  Duration time_limit{1000};  // of the processor, for one run of it
};

// Whether code of that tool may call `other`: it is named, and its calls have an answer to wait for.
bool may_call(const ToolSpec& code, const ToolSpec& other);
// In the order of the definition.
std::vector<std::string> callable_tools(const AgentDefinition& agent, const ToolSpec& code);
// What the model is told of it, with what is written in the definition first.
std::string code_description(const AgentDefinition& agent, const ToolSpec& code);

// When all tools are read: names that are none, and tools that code cannot call.
void check_code(spec::YamlProblems& problems, const std::vector<YAML::Mark>& places,
                const AgentDefinition& definition);

}  // namespace holdfast::agent
