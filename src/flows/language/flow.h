#pragma once

// A flow file: blocks, what each waits for, and how it is to be run. Plain values; reading is pure.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "definition/definition.h"
#include "holdfast/status.h"
#include "language/block_type.h"
#include "plan/graph.h"

namespace holdfast::flows {

inline constexpr std::size_t kMaxFlowBytes = 4 << 20;
inline constexpr std::size_t kMaxBlocks = 10'000;
inline constexpr std::size_t kMaxNeeds = 1000;       // of one block
inline constexpr std::size_t kMaxBodyBlocks = 100;   // of one map or loop
inline constexpr std::size_t kMaxItemRuns = 10'000;  // items of a map, or rounds of a loop, that are runs

// The outlet of a block that ended well, and of one that did not.
inline constexpr std::string_view kDone = "done";
inline constexpr std::string_view kError = "error";

struct Need {
  std::string block;
  std::string outlet{kDone};
};

struct Flow;

struct FlowBlock {
  std::string id;
  const BlockType* type = nullptr;
  std::string name;                       // for people; empty: the id
  std::vector<Need> needs;                // in the order of the file
  bool any = false;                       // one of `needs` is enough
  std::optional<agent::RetrySpec> retry;  // of its own
  std::optional<std::chrono::milliseconds> timeout;
  bool completes_outside = false;                  // by a token, and not by what it returns
  std::chrono::milliseconds deadline{0};           // of that
  std::optional<std::chrono::microseconds> takes;  // expected by whoever wrote it
  nlohmann::json with;                             // what its type asks for; null: nothing
  std::vector<std::string> outlets;  // `done` and `error`, or what it decides between and `error`
  std::shared_ptr<const Flow> body;  // of a map or loop; else null
};

struct Flow {
  std::string name;
  std::string description;
  std::string team;           // as of an agent: whose it is, where tools are granted to teams
  nlohmann::json input;       // JSON Schema; null: anything
  std::string planner{"V4"};  // by which it is run
  std::vector<FlowBlock> blocks;
  bool is_body = false;  // of a map or loop: blocks that need nothing begin, and there is no start
};

// INVALID_ARGUMENT with every mistake, a line each: source:line:column: what is wrong, in which block, and
// what to do.
Result<Flow> read_flow(std::string_view text, std::string_view source);

// Whether a block of this body is a step of a workflow, and so each item or round a run of its own.
bool has_steps(const Flow& body);

// As planners see it. Blocks keep their places.
Graph graph_of(const Flow& flow);

}  // namespace holdfast::flows
