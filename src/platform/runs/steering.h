#pragma once

// What people do to runs that are under way, or were: messages into them, pause and resume, ending what is
// parked, taking up a closed one, and all of that to many. Values.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"
#include "platform/held_runs.h"
#include "platform/run_index.h"
#include "runs/run_status.h"

namespace holdfast::runs {

enum class SteerKind : std::uint8_t { kMessage, kPause, kResume, kGiveUp };

struct SteerRequest {
  SteerKind kind = SteerKind::kMessage;
  std::string run;
  std::string by;
  std::string text;     // kMessage: text, or JSON with parts
  std::string id;       // kMessage: the same one again is the same message; empty: a new one
  std::string reason;   // kPause, kGiveUp
  std::string version;  // kResume: go on with this one; "current": the agent's; empty: as before
};

// Cancelling, terminating, deleting.
struct StopRequest {
  std::string run;
  std::string by;  // empty: nobody said so
  std::string reason = {};
};

// What the run answered, as JSON; or why it did not take it.
using SteerDone = std::move_only_function<void(Result<std::string>)>;

struct RetryRequest {
  std::string run;
  std::string id;       // of the new run; empty: made of the origin's, so that a repeat is the same run
  std::string version;  // "current": the agent's; empty: the origin's
  std::string by;
};

// Taking back what a closed run did.
struct UndoRequest {
  std::string run;
  std::string by;
  std::string reason;
};

// What an undoing would do about one call, as the ledger has it now.
enum class WouldUndo : std::uint8_t {
  kUndo,
  kAsk,      // it is not known whether it took effect: the tool that knows is asked first
  kNothing,  // it never took effect
  kUndone,   // it is taken back already
  kStands,   // taking it back has failed
};
std::string_view to_string(WouldUndo would);

struct UndoRow {
  std::string agent;
  std::string tool;
  std::string key;                    // of the call
  std::uint32_t step = 0;             // of the run that made it
  std::optional<std::uint64_t> item;  // of a map or loop, whose call it is
  WouldUndo would = WouldUndo::kUndo;
};

struct UndoPlan {
  std::string agent;
  std::string version;
  std::vector<UndoRow> effects;  // in the order in which they are taken back
  bool more = false;             // others come behind them: a map has many
};

enum class BulkAction : std::uint8_t { kPause, kResume, kFail, kCancel, kRetry };
std::string_view to_string(BulkAction action);
std::optional<BulkAction> bulk_action_by_name(std::string_view name);

inline constexpr std::uint32_t kMaxBulk = 100;

// Which runs, and what is done to each.
struct BulkRequest {
  BulkAction action = BulkAction::kPause;
  std::optional<RunStatus> status;  // one of the two is said
  std::optional<protocol::HoldKind> held;
  std::string agent;          // empty: of any
  platform::TimeRange range;  // in which their starts were accepted
  std::string after;          // the last page's `next`
  std::uint32_t limit = 50;   // at most kMaxBulk
  bool dry_run = false;       // only says which
  std::string by;
  std::string reason;
  std::string version;
};

struct BulkRow {
  std::string run;
  std::string agent;
  std::string status;  // before
  bool done = false;   // of a dry run: whether it would be tried
  std::string detail;  // kRetry: the new run's id; or why not
};

struct BulkPage {
  std::vector<BulkRow> rows;
  std::string next;  // empty: this was the last page
};
using BulkDone = std::move_only_function<void(Result<BulkPage>)>;

}  // namespace holdfast::runs
