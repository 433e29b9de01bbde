#include "block/block.h"

namespace holdfast::flows {

std::span<const RunnableBlock* const> runnable_blocks() {
#define HOLDFAST_ADDRESS(block) &block,
  static constexpr const RunnableBlock* kBlocks[] = {HOLDFAST_BLOCKS(HOLDFAST_ADDRESS)};
#undef HOLDFAST_ADDRESS
  return kBlocks;
}

const RunnableBlock* find_runnable_block(std::string_view type) {
  for (const RunnableBlock* block : runnable_blocks()) {
    if (block->type == type) return block;
  }
  return nullptr;
}

}  // namespace holdfast::flows
