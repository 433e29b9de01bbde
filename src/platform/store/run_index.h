#pragma once

// RunIndex: the platform store's rows as lists and counts: runs of a time, how many began when and how they
// stand, conversations, budgets. It reads and writes nothing; every answer is a bounded page or a bounded
// number of counts, made by the database. Beside the Store (platform/store.h), whose threads, durability and
// failures it has; it goes before the store does.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/budget.h"
#include "platform/records.h"

namespace holdfast::platform {

// From the first moment on, until before the second; none: without that end.
struct TimeRange {
  TimeRange() = default;
  std::optional<WallTime> from;
  std::optional<WallTime> to;

  bool any() const { return from || to; }
  bool contains(WallTime at) const { return (!from || at >= *from) && (!to || at < *to); }
};

// Runs by when their starts were accepted.
struct RunCountQuery {
  RunCountQuery() = default;
  std::string agent;  // empty: every agent
  WallTime from{};
  WallTime to{};      // exclusive
  WallTime origin{};  // where bin 0 begins: at `from`, or before
  std::chrono::nanoseconds width{};
};
struct RunCount {
  RunCount() = default;
  std::int64_t bin = 0;
  // As the store has it written down: of a run that is over what its bill says; of another one paused,
  // parked, waiting (a person is asked), queued or running.
  std::string status;
  std::int64_t count = 0;
};

// One that runs were started for, or went on with.
struct ConversationRow {
  ConversationRow() = default;
  std::string id;
  std::string newest;     // the run that came last
  std::int64_t runs = 0;  // that came
  WallTime at{};          // of the newest
};

// A run that has budgets of its own.
struct BudgetRow {
  BudgetRow() = default;
  Account account;
  std::string status;        // of its bill; empty: it is not over
  std::int64_t waiting = 0;  // runs that wait until it is raised
};
struct BudgetFilter {
  BudgetFilter() = default;
  bool waiting = false;  // only those that a run waits for
  std::string after;     // run id of the last row of the page before
  std::uint32_t limit = 100;
};

// The narrowest of a few widths by which a time is at most so many bins; the widest one when none is.
std::chrono::seconds bin_width(WallTime from, WallTime to, std::uint32_t most);
// Where the bin of that width that holds `at` begins: whole widths since 1970.
WallTime bin_begin(WallTime at, std::chrono::seconds width);

class RunIndex {
 public:
  virtual ~RunIndex() = default;

  // Like Store::runs(), of those that came in a time. By the moment of the start and not by the order of
  // rows: a clock that was set back leaves out nothing.
  virtual Result<std::vector<RunRecord>> runs(const RunFilter& filter, const TimeRange& range) = 0;
  // When the oldest and the newest run came; none: there is no run.
  virtual Result<std::optional<std::pair<WallTime, WallTime>>> run_span() = 0;
  // In no order; a bin without runs has no row.
  virtual Result<std::vector<RunCount>> run_counts(const RunCountQuery& query) = 0;
  // By their newest runs, the newest first. `after`: the `newest` of the last row on the page before.
  virtual Result<std::vector<ConversationRow>> conversations(std::string_view after, std::uint32_t limit) = 0;
  // Newest first. INVALID_ARGUMENT when `after` has no budgets.
  virtual Result<std::vector<BudgetRow>> budgets(const BudgetFilter& filter) = 0;
};

}  // namespace holdfast::platform
