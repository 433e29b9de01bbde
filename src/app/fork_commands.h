#pragma once

// The commands that fork runs and compare them, as plain values; see app/commands.h.

#include <cstdint>
#include <optional>
#include <string>

#include "app/commands.h"

namespace holdfast::app {

// fork, and replay, which edits nothing.
struct ForkOptions {
  ApiOptions api;
  bool replay = false;
  std::string run;
  std::optional<std::uint64_t> message, turn, step;
  std::string from;  // "start" or "failed"
  std::optional<std::string> prompt;
  std::optional<std::string> say;
  std::optional<std::string> call;    // whose answer is `result`
  std::optional<std::string> result;  // "@FILE": what is in it
  bool is_error = false;
  std::string version;
  std::string id;
  std::string reason;
  std::string by;
  bool dry_run = false;
};
int fork_run(const ForkOptions& options);

struct ForksOptions {
  ApiOptions api;
  std::string run;
};
int list_forks(const ForksOptions& options);

struct RunDiffOptions {
  ApiOptions api;
  std::string a;
  std::string b;
};
int diff_runs(const RunDiffOptions& options);

}  // namespace holdfast::app
