#pragma once

// The commands that steer runs, as plain values; see app/commands.h.

#include <cstdint>
#include <optional>
#include <string>

#include "app/commands.h"

namespace holdfast::app {

struct SendOptions {
  ApiOptions api;
  std::string run;
  std::optional<std::string> text;
  std::optional<std::string> input_file;  // "-": standard input
  std::string id;
  std::string by;
};
int send_message(const SendOptions& options);

// pause, resume and fail.
struct SteerOptions {
  ApiOptions api;
  std::string verb;
  std::string run;
  std::string by;
  std::string reason;
  std::string version;
};
int steer_run(const SteerOptions& options);

struct RetryOptions {
  ApiOptions api;
  std::string run;
  std::string id;
  std::string version;
  std::string by;
};
int retry_run(const RetryOptions& options);

struct UndoOptions {
  ApiOptions api;
  std::string run;
  std::string reason;
  std::string by;
  bool dry_run = false;
};
int undo_run(const UndoOptions& options);

struct BulkOptions {
  ApiOptions api;
  std::string action;
  std::string status;
  std::string agent;
  std::string by;
  std::string reason;
  std::string version;
  std::uint32_t limit = 0;  // 0: all
  bool dry_run = false;
};
int bulk_runs(const BulkOptions& options);

struct CompleteOptions {
  ApiOptions api;
  std::string token;                      // or the whole URL
  std::optional<std::string> result;      // text, or JSON
  std::optional<std::string> input_file;  // "-": standard input
  std::optional<std::string> error;       // it failed
};
int complete_call(const CompleteOptions& options);

}  // namespace holdfast::app
