#pragma once

// Which blocks the expressions of a block name. Pure.

#include <bitset>
#include <set>
#include <string>
#include <vector>

#include "language/flow.h"

namespace holdfast::flows {

inline constexpr std::size_t kMaxRunBlocks = 1000;  // of a flow that is run

// Every word of the texts in `tree` that could be a name.
std::set<std::string> words_of(const nlohmann::json& tree);
// What is asked for as `blocks.NAME`.
std::set<std::string> block_names_of(const nlohmann::json& tree);

// Of each block those that lead to it, by their places. The flow has kMaxRunBlocks at most.
using BlockSet = std::bitset<kMaxRunBlocks>;
std::vector<BlockSet> blocks_before(const Flow& flow);

}  // namespace holdfast::flows
