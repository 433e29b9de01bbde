#pragma once

// Exit codes of the holdfast command, as documented in docs/guide/cli.md. Scripts rely on them: never
// renumber.

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

}  // namespace holdfast::app
