#pragma once

// `--timeout`: seconds that somebody typed.

#include <chrono>
#include <cmath>
#include <string>

#include <CLI/CLI.hpp>

#include "holdfast/status.h"

namespace holdfast::app {

inline constexpr double kMostSeconds = 1e9;  // as milliseconds it fits wherever they are counted

// INVALID_ARGUMENT: it is no number of seconds, or nobody waits that long.
inline Result<std::chrono::milliseconds> read_seconds(const std::string& typed) {
  double seconds = 0;
  const bool is_number = CLI::detail::lexical_cast(typed, seconds);
  if (!is_number || !std::isfinite(seconds) || seconds < 0 || seconds > kMostSeconds)
    return fail(Code::kInvalidArgument, "'" + typed + "' is not a number of seconds from 0 to 1000000000");
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

// `timeout` outlives the parsing.
inline void add_timeout(CLI::App& command, std::chrono::milliseconds& timeout) {
  const auto check = [](std::string& typed) {
    const auto read = read_seconds(typed);
    return read ? std::string() : std::string(read.error().message());
  };
  command
      .add_option_function<std::string>(
          "--timeout", [&timeout](const std::string& typed) { timeout = *read_seconds(typed); },
          "Seconds to wait for the end (exit code 6); the run goes on")
      ->check(CLI::Validator(check, ""));
}

}  // namespace holdfast::app
