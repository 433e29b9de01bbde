#pragma once

// Rules of labels (platform/rules.h): a label moves only from where its mover saw it, and the way back is the
// way it came.

#include <cstddef>
#include <optional>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/records.h"
#include "platform/rules.h"

namespace holdfast::platform::rules {

Status check_label_move(const LabelMove& wanted);

// What is stored.
struct LabelRows {
  std::optional<Label> label;
  std::optional<Label> source;  // kPromoted
  std::optional<Label> back;    // kRolledBack: the move that the label's `back` names
  bool has_version = false;     // of `wanted.hash`
  std::size_t labels = 0;       // of the agent
};

// A rollback takes the version before the one that was set last, the next one that before it: what was rolled
// back is not come back to.
Result<Change<Label>> move_label(const LabelMove& wanted, const LabelRows& there, WallTime now);

AuditRow audit_of(const Label& moved);

}  // namespace holdfast::platform::rules
