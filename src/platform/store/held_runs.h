#pragma once

// Runs that wait for somebody, and runs that take up an earlier one, as rows. Plain values.

#include <string>

#include "holdfast/seams.h"
#include "protocol/steering.h"

namespace holdfast::platform {

// A run that is paused or parked. The workflow says so; this is where people look.
struct HeldRun {
  HeldRun() = default;
  std::string run;
  protocol::HoldKind kind = protocol::HoldKind::kPaused;
  std::string reason;  // what the person said, or the type of the failure
  std::string detail;
  std::string by;
  WallTime at{};
};

struct HeldFilter {
  HeldFilter() = default;
  protocol::HoldKind kind = protocol::HoldKind::kPaused;
  std::string after;          // run of the last row of the page before
  std::uint32_t limit = 100;  // at most kMaxPage
};

// Written before the run starts, and never changed.
struct Origin {
  Origin() = default;
  std::string run;
  std::string origin;  // the run whose work it takes up
  std::string state;   // JSON: {"conversation": where that came to, "undone": [...]}
  std::string by;
  WallTime at{};  // set by the store
};

}  // namespace holdfast::platform
