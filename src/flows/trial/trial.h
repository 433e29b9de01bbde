#pragma once

// One run of a flow without a server: blocks run one behind the other, expressions in the sandbox that it is
// given. What calls out or waits for somebody is never done: its result is pinned. A wait is over at once.
// Touches nothing but the sandbox; one thread.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "block/outcome.h"
#include "block/program.h"
#include "holdfast/status.h"
#include "wire/message.h"

namespace holdfast::flows {

// What a block is to have come to.
struct Pinned {
  std::string outlet{kDone};
  std::string value{"null"};          // JSON
  std::optional<BlockFailure> error;  // it failed
};

struct TrialInput {
  std::string input{"null"};             // JSON
  std::map<std::string, Pinned> pinned;  // by block
  // Only these run; of the others those that are pinned are known, and the rest counts as skipped. Empty:
  // all.
  std::set<std::size_t> only;
};

struct TrialBlock {
  std::size_t block = 0;
  std::string outlet;     // protocol::kFlowSkipped: it did not run
  std::string value;      // JSON
  std::string arguments;  // of a call: JSON
  bool pinned = false;
  std::string error_type;  // it failed
  std::string error;
};

struct Trial {
  std::vector<TrialBlock> blocks;  // in the order in which they ended
  std::string output{"null"};      // JSON
  // Its error led nowhere, and ended the run.
  std::optional<protocol::FlowFailure> failure;

  // Null: it was not reached.
  const TrialBlock* find(std::size_t block) const;
};

using TrialEvaluate = std::function<Result<sandbox::Reply>(const sandbox::Request& request)>;

// INVALID_ARGUMENT: the input does not fit. FAILED_PRECONDITION: a block that cannot be run here has no
// pinned result; it is named.
Result<Trial> run_trial(const Program& program, const TrialInput& in, const TrialEvaluate& evaluate);

// Those that lead to `block`, and itself.
std::set<std::size_t> leading_to(const Program& program, std::size_t block);

}  // namespace holdfast::flows
