#pragma once

// Exit codes of the holdfast command, as documented in docs/guide/cli.md. Scripts rely on them: never
// renumber.

#include "holdfast/status.h"

namespace holdfast::app {

enum ExitCode : int {
  kExitOk = 0,
  kExitError = 1,
  kExitUsage = 2,
  kExitNotFound = 3,
  kExitConflict = 4,
  kExitRunFailed = 5,
  kExitTimeout = 6,
  kExitInterrupted = 130,
};

// What a command that failed with `status` exits with.
constexpr int exit_code_of(const Status& status) {
  switch (status.code()) {
    case Code::kInvalidArgument: return kExitUsage;
    case Code::kNotFound: return kExitNotFound;
    default: return kExitError;
  }
}

}  // namespace holdfast::app
