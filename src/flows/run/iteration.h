#pragma once

// What the workflow does of a map or loop: its parts, each one activity, so many at a time. What they came to
// is in the platform store.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "holdfast/workflow.h"
#include "protocol/flow_run.h"

namespace holdfast::flows {

// Of one block. What continue-as-new takes along stands between two parts.
struct Parts {
  std::uint32_t count = 0;  // 0: it has not begun
  std::uint32_t next = 0;   // the first that has not begun
  bool over = false;        // no other one is needed
  std::uint64_t items = 0;  // or rounds, at most
  std::uint64_t each = 0;   // so many of them are one part
  // Where each is a run: whose call it answers, and those that need not be made.
  std::optional<protocol::CallRef> call = std::nullopt;
  std::vector<protocol::FlowStretch> known = {};
};

Parts parts_of(const protocol::FlowOpen& open);
protocol::FlowOpen left_open(std::uint32_t step, const Parts& parts);

struct IterationRun {
  IterationRun() = default;
  protocol::FlowEach each;
  protocol::FlowEachInput in;
  std::shared_ptr<Parts> parts;
  ActivityOptions options;
  // Counts a part, and says whether the run is to go on with a new history before the next one.
  std::function<bool()> leaves;
  std::function<bool()> is_leaving;  // the same, and only looks
  // Of items whose error was collected: what they did.
  std::function<Task<void>(std::vector<std::uint64_t> items)> take_back;
  // Of a part that is a run of its own. In its time `parts` knows the call.
  std::function<Task<protocol::FlowItemEnd>(std::uint32_t part)> run_item;
};

// None of `ended`, and no failure: it was left between two parts. A failed activity is thrown when the others
// have ended.
Task<protocol::FlowBlocksResult> iterate(workflow::Context& ctx, IterationRun run);

// The run of one item, until it has ended; what it did is the caller's to take back, who keeps it in
// `undoable`. It and `ctx` outlive the task. Throws when it is cancelled with its caller.
Task<protocol::FlowItemEnd> run_item(workflow::Context* ctx, protocol::FlowInput input,
                                     std::vector<protocol::Undoable>* undoable);

}  // namespace holdfast::flows
