#pragma once

// `holdfast demo`: a refund agent loses its server to SIGKILL in mid-run and finishes without repeating a
// step. Shop database, message receiver and model live in the demo's own process; the server is a child
// process like any user's, driven through its HTTP API. What is printed is what database, receiver and event
// log say.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::demo {

struct DemoOptions {
  // "1".."10": as that step begins (10: while the refund waits for approval). "receiver": after the receiver
  // of the second message has answered and before our commit. "refund": while the approved refund runs.
  // "answer": while the final answer streams. "random": any.
  std::string kill_at = "10";
  std::optional<std::string> engine;  // temporal://HOST:PORT, handed to the server; none: the embedded engine
  std::string executable = "/proc/self/exe";
  bool json = false;
  bool keep = false;  // the directory with shop, data and server log; kept on failure anyway
};

struct DemoEnvironment {
  const Clock* clock = nullptr;
  Random* random = nullptr;
  std::function<std::unique_ptr<Executor>(const std::string& name)> new_executor;
};

// The exit code: 0 when every check holds. Prints to standard output.
int run_demo(const DemoOptions& options, const DemoEnvironment& environment);

// ---- parts, for tests

struct KillPoint {
  enum class Kind { kStep, kApproval, kReceiver, kRefund, kAnswer };
  Kind kind = Kind::kApproval;
  int number = 10;  // kStep: the step; kReceiver: the message
  std::string describe() const;
};
// INVALID_ARGUMENT lists what is allowed.
Result<KillPoint> parse_kill_point(const std::string& text, Random& random);

}  // namespace holdfast::demo
