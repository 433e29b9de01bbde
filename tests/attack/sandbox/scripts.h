#pragma once

// JavaScript and Monty against their engines, Python against its walls, and how each may end.

#include <string>
#include <vector>

#include "wire/message.h"

namespace holdfast::sandbox {

// Faults by their names.
inline constexpr const char* kTime = "time_limit";
inline constexpr const char* kMemory = "memory_limit";
inline constexpr const char* kStack = "stack_limit";
inline constexpr const char* kOutput = "output_limit";
inline constexpr const char* kThrown = "exception";
inline constexpr const char* kSyntax = "syntax_error";
inline constexpr const char* kDied = "sandbox_died";

struct Script {
  std::string name;
  Request request;
  // Of told(): a result, or the name of a fault. Any of these.
  std::vector<std::string> ends;
};

std::vector<Script> scripts();
std::vector<Script> python_scripts();
std::vector<Script> monty_scripts();

}  // namespace holdfast::sandbox
