#pragma once

// Program: a flow that can be run, each block bound to its type and to what its `with` says. Read once,
// checked completely, then immutable; its canonical JSON is what the platform store keeps, and the sha256 of
// that is the version a run is pinned to. Canonical JSON is a valid flow file: one reader for both.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "block/block.h"
#include "block/references.h"
#include "definition/need.h"
#include "holdfast/status.h"
#include "protocol/flow_run.h"

namespace holdfast::flows {

struct Program {
  Flow flow;
  std::vector<BoundBlock> blocks;         // in the places of flow.blocks
  std::vector<protocol::FlowRule> rules;  // likewise
};

// INVALID_ARGUMENT with every mistake, a line each. `base_directory`: where relative paths of files start;
// empty: a relative path is a mistake.
Result<Program> read_program(std::string_view text, std::string_view source,
                             std::string_view base_directory = {});

// Every default made explicit, keys sorted, but values of the file as they were written; no white space;
// without what belongs to other programs (`x-`).
std::string canonical_json(const Program& program);

// What a block does with what is before it: its canonical form without what does not change that.
Json meaning_of(const Program& program, std::size_t block);
// For each block of `now` its place in `before`, if it means the same there, and so does every block before
// it; none: it does not.
std::vector<std::optional<std::size_t>> same_blocks(const Program& before, const Program& now);

// What the blocks name of the machine, and which one does.
struct BlockNeeds {
  std::string block;
  agent::Needs needs;
};
std::vector<BlockNeeds> needs_of(const Program& program);

// Its place, if there is one of that id; bodies are not looked into.
std::optional<std::size_t> block_named(const Program& program, std::string_view id);

// By the planner that the flow names.
protocol::FlowPlan plan_of(const Program& program, const std::string& version);

}  // namespace holdfast::flows
