#pragma once

// A run of a flow: the argument and the result of its workflow, the plan that it follows, and what it asks of
// its activities. They stand in histories: fields may be added (absent ones take their default); a field
// never changes its meaning.
//
// Values; see protocol/call.h for how reading fails.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/activities.h"
#include "protocol/call.h"
#include "protocol/run.h"

namespace holdfast::protocol {

// The definition of a flow is kept under its name with this in front, and a run of one has that as its agent.
// Agents' names have no colon.
inline constexpr std::string_view kFlowPrefix = "flow:";
bool is_flow(std::string_view agent);
std::string agent_of_flow(std::string_view flow);
// The definition of an agent that stands in a block of a flow, in the flow's version; `block` is its id.
std::string agent_of_block(std::string_view flow_agent, std::string_view block);
struct BlockAgent {
  std::string flow;  // as the run's agent: kFlowPrefix and its name
  std::string block;
};
// None: it stands in no block.
std::optional<BlockAgent> block_of_agent(std::string_view agent);
// Of the step record that holds the arguments of a call which no message holds: a block's.
std::string call_arguments_key(std::string_view call_key);

inline constexpr const char* kFlowWorkflowType = "flow";  // on kAgentQueue
inline constexpr const char* kFlowBeginActivity = "flow.begin";
inline constexpr const char* kFlowBlocksActivity = "flow.blocks";  // on kToolQueue
// The same of blocks that change nothing outside: an engine in this process hands it out before its schedule
// is durable, as kPureToolActivity.
inline constexpr const char* kFlowPureActivity = "flow.blocks.pure";
inline constexpr const char* kFlowStepActivity = "flow.step";
// Before and behind a call that the workflow makes itself.
inline constexpr const char* kFlowCallActivity = "flow.call";  // on kToolQueue: it fills in the arguments
inline constexpr const char* kFlowCalledActivity = "flow.called";
// Its result is the run's, a JSON object with `output`; it passes through the workflow as it is.
inline constexpr const char* kFlowFinishActivity = "flow.finish";
// On kToolQueue, like the blocks: what a map or loop does.
inline constexpr const char* kFlowEachBeginActivity = "flow.each.begin";
inline constexpr const char* kFlowEachPartActivity = "flow.each.part";
inline constexpr const char* kFlowEachEndActivity = "flow.each.end";
inline constexpr const char* kFlowTakeUpActivity = "flow.take_up";       // on kToolQueue
inline constexpr const char* kFlowCompletedActivity = "flow.completed";  // of a block completed from outside

// Behaviour of the workflow that later versions may change. A run keeps the flags it began with; numbers are
// never reused.
inline constexpr std::uint32_t kFlowLeavesFlag = 1;  // waits can be left by continue-as-new
// One that does not succeed takes back what it did, and what the runs that it called did.
inline constexpr std::uint32_t kFlowUndoesFlag = 2;
inline constexpr std::uint32_t kFlowFlags = kFlowLeavesFlag | kFlowUndoesFlag;

// How a block ended: one of its outlets, or this one, which no outlet is called.
inline constexpr std::string_view kFlowSkipped = "-";

// Blocks are known by their places in the definition.
struct FlowNeed {
  FlowNeed() = default;
  std::uint32_t block = 0;
  std::string outlet;
};

// When a block runs.
struct FlowRule {
  FlowRule() = default;
  std::vector<FlowNeed> needs;
  bool any = false;  // one of them is enough
};

// Of a map or loop.
struct FlowEach {
  FlowEach() = default;
  std::uint32_t parallel = 1;  // activities at a time
  std::int64_t pause_ms = 0;   // between two of them
  bool runs = false;           // each item or round is a run of its own: see FlowItem
};

// A run that is one item of a map, or one round of a loop: its blocks are those of the body, and what stands
// around them is the run's that goes over it.
struct FlowItem {
  FlowItem() = default;
  std::string run;  // that goes over it
  std::string of;   // the block whose body it is
  std::uint64_t index = 0;
};
// What a block of a run of a flow is known by: the key of its call, and of its record. Of a body that is no
// run of its own: `of` and `index` say whose round it is; an empty `of`: none.
std::string flow_block_key(std::string_view namespace_name, std::string_view run, std::string_view of,
                           std::uint64_t index, std::string_view block);
// The run of that item: the same, whoever asks again.
std::string run_of_item(std::string_view run, std::string_view block, std::uint64_t index);

// Parts of a map or loop, one behind the other.
struct FlowStretch {
  FlowStretch() = default;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

// A run of an item has ended: what it came to is recorded under that key, or it failed with this.
struct FlowItemEnd {
  FlowItemEnd() = default;
  std::string key;  // of the call
  std::string run;
  std::string error_type;  // empty: it went well
  std::string error;
};

// What the workflow does at once: an activity, or a wait of its own.
struct FlowStep {
  FlowStep() = default;
  std::vector<std::uint32_t> blocks;  // in the order in which they run
  std::vector<std::uint32_t> after;   // steps that must have ended
  std::optional<std::int64_t> wait_ms;
  Json retry;         // of a block with a policy of its own; null: none has
  std::string calls;  // it is one call of a tool of this type, which the workflow makes; empty: it is none
  std::optional<FlowEach> each;
  bool pure = false;  // its blocks change nothing outside: kFlowPureActivity
  // Calls of its blocks that can be taken back, in their order; of a map or loop one with `items`.
  std::vector<Undoable> undoable;
};

// The runs that have begun a block, and not ended it, which this run takes up; the last one first.
struct FlowOrigin {
  FlowOrigin() = default;
  std::uint32_t block = 0;
  std::vector<std::string> runs;
};

struct FlowEnded {
  FlowEnded() = default;
  std::uint32_t block = 0;
  std::string outlet;
};

// Of a run that takes up another one: what that came to.
struct FlowTakenUp {
  FlowTakenUp() = default;
  std::vector<FlowEnded> ended;
  std::vector<FlowOrigin> begun;
  std::vector<Undoable> undoable;  // calls of its blocks that can be taken back, in the order of the graph
};

struct FlowPlan {
  FlowPlan() = default;
  std::string flow;  // as the run's agent: kFlowPrefix and its name
  std::string version;
  std::string planner;
  std::uint32_t flags = 0;
  std::vector<FlowStep> steps;  // what one waits for stands before it
  std::vector<FlowRule> rules;  // of each block
  std::string origin;           // the run that this one takes up; empty: none
  std::string decision_key;     // as in Plan
  std::string requester;        // as in Plan
};

// A step that continue-as-new has left open.
struct FlowOpen {
  FlowOpen() = default;
  std::uint32_t step = 0;
  std::int64_t until_ms = 0;  // of a wait, or of what is completed from outside: since the epoch
  std::string completion;     // its id
  bool completed = false;
  std::uint32_t parts = 0;      // of a map or loop
  std::uint32_t next = 0;       // the first that has not begun
  std::optional<CallRef> call;  // as FlowEachBegun has it, and the next ones
  std::vector<FlowStretch> known;
  std::uint64_t items = 0;
  std::uint64_t each = 0;
};

// Where a run stands that goes on with a new history.
struct FlowState {
  FlowState() = default;
  FlowPlan plan;
  FlowTakenUp taken_up;
  std::vector<FlowEnded> ended;
  std::vector<FlowOpen> open;
  // Of its own calls and of the runs that it called: what may be taken back, in the order in which it was
  // done.
  std::vector<Undoable> undoable;
};

// The argument of the workflow. What it works on is stored with the run.
struct FlowInput {
  FlowInput() = default;
  std::string flow;
  std::string version;           // empty, of a sub-flow: which one that is, is asked when it begins
  std::optional<Caller> caller;  // none: the run is nobody's part
  std::optional<FlowState> state;
  std::optional<FlowItem> item;      // none: the run is one of the whole flow
  std::vector<std::string> origins;  // of an item: runs that have begun it before, the last one first
};

// What whoever called a flow reads of its result.
struct FlowResult {
  FlowResult() = default;
  std::vector<Undoable> undoable;  // undone should the caller fail
};

// Of a block whose error leads nowhere: the run's.
struct FlowFailure {
  FlowFailure() = default;
  std::string block;
  std::string type;
  std::string message;
};

struct FlowBlocksInput {
  FlowBlocksInput() = default;
  std::string flow;
  std::string version;
  std::optional<FlowItem> item;
  std::vector<std::uint32_t> blocks;
  std::vector<FlowEnded> ended;  // those outside that they need
  std::vector<FlowOrigin> begun;
};

// A block's call was made, and somebody outside ends it.
struct FlowAwaited {
  FlowAwaited() = default;
  std::string completion;        // its id
  std::int64_t deadline_ms = 0;  // since the epoch
};

struct FlowBlocksResult {
  FlowBlocksResult() = default;
  std::vector<FlowEnded> ended;
  std::optional<FlowFailure> failure;
  std::optional<FlowAwaited> awaits;
};

// Of the activities of a map or loop.
struct FlowEachInput {
  FlowEachInput() = default;
  std::string flow;
  std::string version;
  std::uint32_t block = 0;
  std::uint32_t part = 0;   // which one
  std::uint32_t parts = 0;  // kFlowEachEndActivity: how many there are
  std::vector<FlowEnded> ended;
  std::vector<FlowOrigin> begun;
  std::optional<FlowItemEnd> done;  // a run has done it
};

struct FlowEachBegun {
  FlowEachBegun() = default;
  std::uint32_t parts = 0;
  // Where each item is a run: the call that it answers, its index behind the key.
  std::optional<CallRef> call;
  std::vector<FlowStretch> known;  // what a run that is taken up has done, ascending
  bool over = false;               // the last of these needs no other one
  std::uint64_t items = 0;         // or rounds, at most
  std::uint64_t each = 0;          // so many of them are one part
};

struct FlowPartResult {
  FlowPartResult() = default;
  bool over = false;  // no other one is needed: one has failed, or the loop has come to its end
  // Items whose error was collected, of a body with calls that can be taken back: those of such an item are.
  std::vector<std::uint64_t> failed;
};

struct FlowTakeUpInput {
  FlowTakeUpInput() = default;
  std::string flow;
  std::string version;
  std::optional<FlowItem> item;
  std::string origin;
  std::vector<std::string> origins;  // of an item, in place of it
};

struct FlowCompletedInput {
  FlowCompletedInput() = default;
  std::string flow;
  std::string version;
  std::optional<FlowItem> item;
  std::uint32_t block = 0;
  std::string completion;
  bool run_ends = false;  // else: it was completed, or its time is over
};

// A step of the workflow itself has begun, or is over.
struct FlowStepInput {
  FlowStepInput() = default;
  std::string flow;
  std::string version;
  std::optional<FlowItem> item;
  std::uint32_t block = 0;
  bool over = false;
};

// A call that is about to be made, or what the block came to already.
struct FlowCall {
  FlowCall() = default;
  PlannedCall planned;
  std::optional<FlowBlocksResult> over;
};

// The call is over: it said `text`, or what the step record of its key has, or it failed.
struct FlowCalledInput {
  FlowCalledInput() = default;
  std::string flow;
  std::string version;
  std::optional<FlowItem> item;
  std::uint32_t block = 0;
  std::string text;
  std::string error_type;  // empty: it went well
  std::string error;
};

struct FlowFinishInput {
  FlowFinishInput() = default;
  std::string flow;
  std::string version;
  std::optional<FlowItem> item;
  RunEnd status = RunEnd::kFailed;
  std::string error_type;
  std::string error;
  std::vector<FlowEnded> ended;
  std::optional<Caller> caller;
  std::vector<std::string> not_undone;  // effects that stand
  bool took_back = false;               // something of what it did
};

void to_json(Json& out, const FlowResult& value);
void from_json(const Json& in, FlowResult& value);
void to_json(Json& out, const FlowNeed& value);
void from_json(const Json& in, FlowNeed& value);
void to_json(Json& out, const FlowRule& value);
void from_json(const Json& in, FlowRule& value);
void to_json(Json& out, const FlowStep& value);
void from_json(const Json& in, FlowStep& value);
void to_json(Json& out, const FlowPlan& value);
void from_json(const Json& in, FlowPlan& value);
void to_json(Json& out, const FlowInput& value);
void from_json(const Json& in, FlowInput& value);
void to_json(Json& out, const FlowEnded& value);
void from_json(const Json& in, FlowEnded& value);
void to_json(Json& out, const FlowFailure& value);
void from_json(const Json& in, FlowFailure& value);
void to_json(Json& out, const FlowBlocksInput& value);
void from_json(const Json& in, FlowBlocksInput& value);
void to_json(Json& out, const FlowBlocksResult& value);
void from_json(const Json& in, FlowBlocksResult& value);
void to_json(Json& out, const FlowStepInput& value);
void from_json(const Json& in, FlowStepInput& value);
void to_json(Json& out, const FlowCall& value);
void from_json(const Json& in, FlowCall& value);
void to_json(Json& out, const FlowCalledInput& value);
void from_json(const Json& in, FlowCalledInput& value);
void to_json(Json& out, const FlowFinishInput& value);
void from_json(const Json& in, FlowFinishInput& value);
void to_json(Json& out, const FlowEach& value);
void from_json(const Json& in, FlowEach& value);
void to_json(Json& out, const FlowItem& value);
void from_json(const Json& in, FlowItem& value);
void to_json(Json& out, const FlowStretch& value);
void from_json(const Json& in, FlowStretch& value);
void to_json(Json& out, const FlowItemEnd& value);
void from_json(const Json& in, FlowItemEnd& value);
void to_json(Json& out, const FlowOrigin& value);
void from_json(const Json& in, FlowOrigin& value);
void to_json(Json& out, const FlowTakenUp& value);
void from_json(const Json& in, FlowTakenUp& value);
void to_json(Json& out, const FlowOpen& value);
void from_json(const Json& in, FlowOpen& value);
void to_json(Json& out, const FlowState& value);
void from_json(const Json& in, FlowState& value);
void to_json(Json& out, const FlowAwaited& value);
void from_json(const Json& in, FlowAwaited& value);
void to_json(Json& out, const FlowEachInput& value);
void from_json(const Json& in, FlowEachInput& value);
void to_json(Json& out, const FlowEachBegun& value);
void from_json(const Json& in, FlowEachBegun& value);
void to_json(Json& out, const FlowPartResult& value);
void from_json(const Json& in, FlowPartResult& value);
void to_json(Json& out, const FlowTakeUpInput& value);
void from_json(const Json& in, FlowTakeUpInput& value);
void to_json(Json& out, const FlowCompletedInput& value);
void from_json(const Json& in, FlowCompletedInput& value);

}  // namespace holdfast::protocol
