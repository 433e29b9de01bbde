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

namespace holdfast::protocol {

// The definition of a flow is kept under its name with this in front, and a run of one has that as its agent.
// Agents' names have no colon.
inline constexpr std::string_view kFlowPrefix = "flow:";
bool is_flow(std::string_view agent);
std::string agent_of_flow(std::string_view flow);

inline constexpr const char* kFlowWorkflowType = "flow";  // on kAgentQueue
inline constexpr const char* kFlowBeginActivity = "flow.begin";
inline constexpr const char* kFlowBlocksActivity = "flow.blocks";  // on kToolQueue
inline constexpr const char* kFlowStepActivity = "flow.step";
inline constexpr const char* kFlowFinishActivity = "flow.finish";

// Behaviour of the workflow that later versions may change. A run keeps the flags it began with; numbers are
// never reused.
inline constexpr std::uint32_t kFlowFlags = 0;

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

// What the workflow does at once: an activity, or a wait of its own.
struct FlowStep {
  FlowStep() = default;
  std::vector<std::uint32_t> blocks;  // in the order in which they run
  std::vector<std::uint32_t> after;   // steps that must have ended
  std::optional<std::int64_t> wait_ms;
  Json retry;  // of a block with a policy of its own; null: none has
};

struct FlowPlan {
  FlowPlan() = default;
  std::string flow;  // as the run's agent: kFlowPrefix and its name
  std::string version;
  std::string planner;
  std::uint32_t flags = 0;
  std::vector<FlowStep> steps;  // what one waits for stands before it
  std::vector<FlowRule> rules;  // of each block
};

// The argument of the workflow. What it works on is stored with the run.
struct FlowInput {
  FlowInput() = default;
  std::string flow;
  std::string version;
};

struct FlowResult {
  FlowResult() = default;
  Json output;
};

struct FlowEnded {
  FlowEnded() = default;
  std::uint32_t block = 0;
  std::string outlet;
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
  std::vector<std::uint32_t> blocks;
  std::vector<FlowEnded> ended;  // those outside that they need
};

struct FlowBlocksResult {
  FlowBlocksResult() = default;
  std::vector<FlowEnded> ended;
  std::optional<FlowFailure> failure;
};

// A step of the workflow itself has begun, or is over.
struct FlowStepInput {
  FlowStepInput() = default;
  std::string flow;
  std::string version;
  std::uint32_t block = 0;
  bool over = false;
};

struct FlowFinishInput {
  FlowFinishInput() = default;
  std::string flow;
  std::string version;
  RunEnd status = RunEnd::kFailed;
  std::string error_type;
  std::string error;
  std::vector<FlowEnded> ended;
};

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
void to_json(Json& out, const FlowResult& value);
void from_json(const Json& in, FlowResult& value);
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
void to_json(Json& out, const FlowFinishInput& value);
void from_json(const Json& in, FlowFinishInput& value);

}  // namespace holdfast::protocol
