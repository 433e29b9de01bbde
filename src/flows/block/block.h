#pragma once

// What a block is to a run: what its type asks for in `with`, and what it comes to. A type is one constant in
// one file, and one line below. What touches the world is a call of an agents' tool: the block only gives its
// arguments, and whoever runs it makes the call between the two entries of the effect ledger.
//
// Constants and functions without state; any thread.

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "definition/tool_type.h"
#include "language/flow.h"
#include "spec/written_order.h"
#include "spec/yaml_reader.h"

namespace holdfast::flows {

using Json = nlohmann::json;
using Written = nlohmann::ordered_json;  // a value of the file, its members in the order of the file

class Values;
struct Iteration;
struct Program;
struct RunnableBlock;

// What `with` says; each type derives its own.
struct BlockSettings {
  virtual ~BlockSettings() = default;
};

struct BoundBlock {
  const RunnableBlock* type = nullptr;  // never null in a program
  std::shared_ptr<const BlockSettings> settings;
  std::shared_ptr<const agent::ToolSpec> tool;  // whose call it is; null: of none
  std::shared_ptr<const agent::ToolSpec> undo;  // what takes that call back; null: nothing does
  std::vector<std::size_t> reads;  // blocks before it whose names stand in `with`: what expressions see
  std::vector<std::size_t> reads_around;  // in a body: of the blocks around it, likewise
  std::shared_ptr<const Program> body;    // of a map or loop; else null
};

// One block while it is read. Mistakes go to `block` and `with`.
struct BlockReader {
  spec::MapReader& block;
  spec::MapReader& with;
  const FlowBlock& spec;
  std::string_view base_directory;
  BoundBlock& out;
  std::span<const std::string_view> names = {};  // what expressions see beside `input` and `blocks`
};

struct BlockFailure {
  std::string type;
  std::string message;
};

struct BlockEnding {
  std::string outlet{kDone};
  std::string value{"null"};  // JSON; of a tool's call: its arguments
};
using BlockResult = std::expected<BlockEnding, BlockFailure>;

// A call that the workflow makes, before it is made.
struct CallOfBlock {
  const BoundBlock& block;
  std::string_view flow;  // as the run's agent
  std::string_view version;
};

// The value of that key, null when absent.
inline Written read_written(spec::MapReader& in, std::string_view key) {
  return spec::in_order(in.json(key), in.child(key));
}

struct RunnableBlock {
  std::string_view type;  // as in block_types()
  // JSON Schema of `with`, for editors.
  Json (*schema)(std::string_view type) = nullptr;
  // Reads `with` into out.settings, and out.tool.
  void (*read)(BlockReader& reader) = nullptr;
  // `with` with every default made explicit: valid input of `read`. Null: there is none.
  Json (*canonical)(const BoundBlock& block) = nullptr;
  // Puts the values of the file into that as they were written, where order means something. May be null.
  void (*write)(const BoundBlock& block, Written& with) = nullptr;
  // What it comes to. Null: the workflow itself takes the step.
  BlockResult (*run)(const BoundBlock& block, Values& values) = nullptr;
  // How long the workflow waits. Null: it does not.
  std::chrono::milliseconds (*waits)(const BoundBlock& block) = nullptr;
  // How often its body is run. Null: it has none.
  const Iteration& (*iterates)(const BoundBlock& block) = nullptr;
  bool has_timeout = false;  // `timeout` means something
  // The type of the agents' tool whose call it is, where the workflow makes that call: `run` gives its
  // arguments. Empty: it is none.
  std::string_view calls = {};
  // What it names of the machine, in place of what its tool does. May be null, as the next one.
  agent::Needs (*needs)(const BoundBlock& block) = nullptr;
  // Puts into the call what the workflow must know, in place of what its tool does.
  void (*plan)(const CallOfBlock& call, protocol::PlannedCall& planned) = nullptr;
};

// Evaluated by the compiler: a throw is a compile error that shows its text.
consteval RunnableBlock whole(RunnableBlock block) {
  if (block.type.empty()) throw "a block needs the name of its type";
  if (!block.schema) throw "a block needs a schema of `with`";
  if (!block.read) throw "a block needs a function that reads `with`";
  if ((block.run != nullptr) + (block.waits != nullptr) + (block.iterates != nullptr) != 1)
    throw "a block runs, waits, or iterates";
  return block;
}

// The types that can be run, one line each.
#define HOLDFAST_BLOCKS(line)                                                                               \
  line(kAgentBlock) line(kBranchBlock) line(kCodeBlock) line(kFlowBlock) line(kHttpBlock) line(kHumanBlock) \
      line(kJoinBlock) line(kLoopBlock) line(kMapBlock) line(kModelBlock) line(kPublishBlock)               \
          line(kRespondBlock) line(kSqlBlock) line(kStartBlock) line(kSwitchBlock) line(kTransformBlock)    \
              line(kWaitBlock)

#define HOLDFAST_DECLARE_BLOCK(block) extern const RunnableBlock block;
HOLDFAST_BLOCKS(HOLDFAST_DECLARE_BLOCK)
#undef HOLDFAST_DECLARE_BLOCK

std::span<const RunnableBlock* const> runnable_blocks();
// Null: it cannot be run.
const RunnableBlock* find_runnable_block(std::string_view type);

template <typename Settings>
const Settings& settings_of(const BoundBlock& block) {
  const auto* settings = dynamic_cast<const Settings*>(block.settings.get());
  HF_CHECK(settings);
  return *settings;
}

}  // namespace holdfast::flows
