#pragma once

// Forks: a run that goes on from any place of another one's conversation, on a branch of its own. What stands
// before the place is shared and not done again; whatever the other run does meanwhile is its own.
//
// Owner: app. Thread-safe; calls block. Everything promised is in the platform store before a call returns.
//
// Failures: a Status with a ForkFault where the request is at fault; those of Runs::start (RunFault); the
// store's.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"
#include "platform/fork_store.h"
#include "platform/store.h"
#include "protocol/fork.h"
#include "runs/runs.h"

namespace holdfast::runs {

inline constexpr int kMaxForkDepth = 50;                  // of forks of forks
inline constexpr std::size_t kMaxListedEffects = 1000;    // of a fork that is only looked at
inline constexpr std::size_t kMaxDiffPage = 1 << 20;      // bytes of the messages of a page
inline constexpr std::size_t kMaxDiffMessage = 64 << 10;  // of one message; what is more is left out
inline constexpr std::uint32_t kMaxDiffMessages = 200;

// Like RunFault, of forks alone.
enum class ForkFault : std::uint8_t {
  kNone = 0,
  kNoPlace,         // OUT_OF_RANGE: there is no such message, turn or step yet
  kInsideTurn,      // FAILED_PRECONDITION, like those below: calls would have no answer
  kNothingToSay,    // the place is the end of what was to be done
  kNotThatMessage,  // the edit does not fit what stands there
  kCallNotFound,    // NOT_FOUND
  kNotBegun,
  kNoConversation,
  kHistoryDeleted,
  kNothingFailed,
  kSubAgent,
  kTooDeep,
};
ForkFault fork_fault(const Status& status);
// The nearest place where the run can be forked, which goes with kNoPlace, kInsideTurn and kNotThatMessage.
std::optional<std::uint64_t> nearest_place(const Status& status);

// Where; one of them is said, or none: the last place there is.
struct ForkPlace {
  ForkPlace() = default;
  std::optional<std::uint64_t> message;  // behind it; 0: before all
  std::optional<std::uint64_t> turn;     // behind the answers of that turn of the run; 0: behind its input
  std::optional<std::uint64_t> step;     // behind the turn to which it belongs
  bool start = false;                    // behind what the run was given
  bool failed = false;                   // before what failed: at the last place, and it must have failed
};

struct ForkRequest {
  ForkRequest() = default;
  std::string run;
  ForkPlace at;
  // At most one of them.
  std::optional<std::string> prompt;   // instead of the user's message at the place
  std::optional<std::string> message;  // behind it
  std::optional<protocol::EditedAnswer> answer;
  std::string version;  // a hash, what only one begins with, or a label; "current"; empty: as it was
  std::string id;       // of the fork; empty: a new one
  std::string idempotency_key;
  std::string reason;
  std::string by;
};

// A call of a tool, as the run made it or asked for it.
struct AskedCall {
  AskedCall() = default;
  std::uint64_t message = 0;  // that has it
  std::string id;
  std::string tool;
  std::string arguments;  // as the model sent them
  std::string arguments_sha256;
};
enum class CallFate : std::uint8_t { kReuse, kMake, kAsk, kDeny, kUnknownTool };
std::string_view to_string(CallFate fate);  // "reuse", "make", ...

struct RuledCall {
  RuledCall() = default;
  AskedCall call;
  std::string effect;  // its class in the version that the fork has; empty: there is no such tool
  CallFate fate = CallFate::kReuse;
  bool edited = false;  // its answer is
  std::string reason;
};

struct ForkPlan {
  ForkPlan() = default;
  protocol::Fork fork;
  std::string agent;
  std::string version;
  std::string input;             // JSON
  std::vector<RuledCall> calls;  // in the order of the conversation
  bool more = false;             // there are more of them than kMaxListedEffects
};

// A part of what differs.
struct DiffQuery {
  DiffQuery() = default;
  std::string a;
  std::string b;
  std::uint64_t after = 0;  // the last page's `next`
  std::uint32_t limit = 50;
};
struct DiffSide {
  DiffSide() = default;
  RunDetails run;
  platform::Reference head;
  std::vector<platform::Message> messages;  // behind the common ones; a long one is left out (`json` empty)
  std::vector<std::size_t> bytes;           // of each of them
};
struct RunDiff {
  RunDiff() = default;
  std::uint64_t common = 0;  // messages that both begin with
  std::string common_sha256;
  DiffSide a;
  DiffSide b;
  std::uint64_t next = 0;  // 0: this was the last page
};

// What the fork did not use: the runs before it did.
platform::UsageTotal inherited_by(const protocol::Fork& fork);

struct ForkDescendant {
  ForkDescendant() = default;
  std::string run;
  std::optional<protocol::Fork> fork;  // none: it takes the run up, or back
  bool undoes = false;
  std::string by;
  WallTime at{};
};

// What the version's definition says of calls: fills in `effect`, `fate` and `reason`.
using RuleCalls =
    std::function<Status(const platform::Definition& definition, std::vector<RuledCall>& calls)>;

class Forks {
 public:
  // Both outlive it.
  Forks(Runs& runs, platform::Store& store, RuleCalls rule)
      : runs_(runs), store_(store), branches_(platform::fork_store_of(store)), rule_(std::move(rule)) {}

  // Returns when the intent is durable. The same id or key with the same request is the same fork.
  Result<StartedRun> fork(const ForkRequest& request);
  // What that would do, and nothing is done.
  Result<ForkPlan> plan(const ForkRequest& request);
  Result<RunDiff> diff(const DiffQuery& query);
  // By run id. `after`: the last one of the page before.
  Result<std::vector<ForkDescendant>> descendants(const std::string& run, const std::string& after,
                                                  std::uint32_t limit);

 private:
  struct Parent;
  Result<Parent> parent_of(const std::string& run, bool may_be_sub_agent = false);
  Result<std::uint64_t> place_in(const Parent& parent, const ForkPlace& at);
  Result<std::uint64_t> message_of_step(const Parent& parent, std::uint64_t step);
  Result<ForkPlan> plan_of(const ForkRequest& request, const Parent& parent);
  Status edit_prompt(const ForkRequest& request, const Parent& parent, protocol::Fork& fork);
  Status edit_answer(const ForkRequest& request, const Parent& parent, protocol::Fork& fork);
  Status keep_place(const ForkRequest& request, const Parent& parent, protocol::Fork& fork);
  Status list_calls(const Parent& parent, ForkPlan& plan);
  Result<std::vector<std::string>> undone_before(const Parent& parent, std::uint64_t sequence);
  Result<std::optional<StartedRun>> made_before(const ForkRequest& request, const std::string& hash);
  Result<std::string> version_of(const ForkRequest& request, const platform::RunRecord& run);
  Result<platform::UsageTotal> used_until(const Parent& parent, std::uint64_t sequence);
  Result<DiffSide> side_of(const Parent& parent, std::uint64_t first, std::uint32_t& limit, bool& more);

  Runs& runs_;
  platform::Store& store_;
  platform::ForkStore& branches_;
  const RuleCalls rule_;
};

}  // namespace holdfast::runs
