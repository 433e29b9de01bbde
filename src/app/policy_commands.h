#pragma once

// `holdfast policy`: what a policy says of calls that were made. Blocking; data goes to stdout.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/commands.h"

namespace holdfast::app {

struct PolicyTestOptions {
  ApiOptions api;
  std::string file;                  // the definition
  std::optional<std::string> calls;  // a file; "-": standard input
  std::vector<std::string> runs;     // ids; none, and no `calls`: the latest runs of the agent
  std::uint32_t limit = 50;          // of those
};
// kExitOk: everything would be ruled on as it was. kExitError: something would not.
int test_policy(const PolicyTestOptions& options);

}  // namespace holdfast::app
