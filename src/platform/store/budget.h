#pragma once

// What runs may spend, and what they have spent, as plain values. Every run has an account, that of a
// sub-agent below its caller's, and all that a run uses counts in each account up to the root. What has a
// limit anywhere on that way is reserved before it is dispatched and settled behind it, in the transaction of
// the step.
//
// Money is nano-dollars (base/money.h).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"

namespace holdfast::platform {

// ---- what was used

struct UsageTotal {
  UsageTotal() = default;
  std::int64_t calls = 0;  // of models
  std::int64_t tool_calls = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cached_input_tokens = 0;
  std::int64_t cache_write_tokens = 0;
  std::int64_t reasoning_tokens = 0;
  std::int64_t cost = 0;             // of the calls that have a price
  std::int64_t unpriced_calls = 0;   // of models
  std::int64_t uncounted_calls = 0;  // of models
  std::string price_as_of;           // the oldest of them; empty: there is none

  bool operator==(const UsageTotal&) const = default;
};

// ---- budgets

// `spec.budgets` of the definition.
struct BudgetLimits {
  BudgetLimits() = default;
  std::optional<std::int64_t> tokens;  // input and output
  std::optional<std::int64_t> money;
  std::optional<std::int64_t> calls;  // of models
  std::optional<std::int64_t> tool_calls;
  std::optional<std::int64_t> depth;  // of sub-agents below the run
  std::optional<WallTime> deadline;   // of its wall time
  bool park = false;                  // who reaches one waits; else it ends

  bool any() const { return tokens || money || calls || tool_calls || depth || deadline; }
};

// The budgets by name, as agent.yaml and the API have them. The numbers are stored.
enum class Budget : std::uint8_t {
  kTokens = 0,
  kMoney = 1,
  kCalls = 2,
  kToolCalls = 3,
  kDepth = 4,
  kWallTime = 5
};
std::string_view to_string(Budget budget);

struct AccountOpening {
  AccountOpening() = default;
  std::string run;
  std::string parent;  // the caller's run; empty: nobody's
  std::string agent;
  std::string version;
  BudgetLimits limits;
  std::optional<std::string> model_without_price;  // refused under a budget of money
};

// What a call may use at most, or what is held for calls under way.
struct Quantity {
  Quantity() = default;
  std::int64_t tokens = 0;
  std::int64_t money = 0;
  std::int64_t calls = 0;

  bool operator==(const Quantity&) const = default;
};

struct Account {
  Account() = default;
  std::string run;
  std::string parent;
  std::string agent;
  std::string version;
  std::int64_t depth = 0;
  bool budgeted = false;  // a limit stands here or above
  BudgetLimits limits;
  UsageTotal used;         // by the run and all below it
  Quantity reserved;       // for calls under way, and for those of which nobody knows what they used
  std::string waiting_on;  // parked: the run whose budget is used up; empty: not
  WallTime at{};
};

struct Reservation {
  Reservation() = default;
  std::string key;  // of the attempt
  std::string run;
  Quantity most;
  bool priced = false;  // whether `most.money` is known
  std::string model;    // for people
  WallTime at{};        // set by the store
};

// Which budget stood in the way.
struct Refusal {
  Refusal() = default;
  Budget budget = Budget::kTokens;
  std::string run;        // whose budget it is
  bool unpriced = false;  // it is of money, and the price of the model is not known
  bool park = false;      // wait until it is raised
  std::string message;    // for people: what is used up, and what to do
};

// None refused: it is reserved.
struct Reserved {
  Reserved() = default;
  std::optional<Refusal> refused;
};

// New limits; what is left out stays. Each is at least what it was.
struct Raise {
  Raise() = default;
  std::string run;
  BudgetLimits limits;                                 // its deadline is left out
  std::optional<std::chrono::milliseconds> wall_time;  // since the run began
  std::string by;                                      // who asks; empty: nobody said so
};
struct Raised {
  Raised() = default;
  Account account;
  std::vector<std::string> waiting;  // runs that wait for this run's budgets, it among them
};

// ---- reports

enum class UsageBy : std::uint8_t { kAgent, kModel, kVersion, kTool, kDay };
std::optional<UsageBy> usage_by(std::string_view word);  // "agent", ...
std::string_view to_string(UsageBy by);

// Days are counted from 1970-01-01, UTC.
struct UsageQuery {
  UsageQuery() = default;
  UsageBy by = UsageBy::kAgent;
  std::int64_t from = 0;  // both days are part of it
  std::int64_t to = 0;
};

inline constexpr std::size_t kMaxUsageLines = 1000;

struct UsageLine {
  UsageLine() = default;
  std::string name;  // an agent, a model, a version, a tool
  std::string of;    // of a model: its provider; of a version: its agent; of a tool: its agent
  std::int64_t day = 0;
  UsageTotal used;
};

struct UsageReport {
  UsageReport() = default;
  std::vector<UsageLine> lines;  // those that cost most first; of days the newest first
  bool more = false;             // there are more than kMaxUsageLines
  UsageTotal total;              // of all lines that there are
};

// ---- bills

// One per run, written when it has ended and never again; it stays when the history goes.
struct Bill {
  Bill() = default;
  std::string run;
  std::string parent;
  std::string agent;
  std::string version;
  std::string status;               // in the words of run.closed
  std::string error_type;           // why it ended; empty: as it should
  UsageTotal used;                  // by the run and all below it
  std::int64_t unsettled_cost = 0;  // of attempts of which nobody knows what they used: at most
  WallTime begun_at{};
  WallTime ended_at{};
};

}  // namespace holdfast::platform
