#pragma once

// How a tool names another agent, or a flow: NAME, NAME@LABEL or NAME@VERSION. Pure.

#include <optional>
#include <string>

namespace holdfast::agent {

// What is wrong with it, in words for who wrote the definition. Nothing is said of an empty one.
std::optional<std::string> check_agent(const std::string& reference);
std::optional<std::string> check_flow(const std::string& reference);

}  // namespace holdfast::agent
