#pragma once

// How a block ended, and what that means to others: the same whether a server runs it or a test does. Pure.

#include <optional>
#include <string>
#include <vector>

#include "block/program.h"
#include "block/values.h"

namespace holdfast::flows {

inline constexpr std::size_t kMaxValueBytes = 32 << 20;  // of one block: what the sandbox takes

// Of a value beyond that.
BlockFailure value_too_large();

struct BlockOutcome {
  BlockOutcome() = default;
  static BlockOutcome of(BlockResult result);

  std::string outlet{kDone};
  std::string value;  // JSON; with `failed`: {"error": {"type", "message"}}
  bool failed = false;
  std::string error_type;
  std::string error;
  std::string log = {};  // what its code wrote
  // Of a map: what is here sums up its parts (perform/parts.h), which have its value.
  bool in_parts = false;
  // Its call was made, and it has not ended: somebody outside ends it.
  std::optional<protocol::FlowAwaited> awaits = std::nullopt;
};

// What a block comes to that is to run; of one that calls a tool the call's arguments. `outlets`: by block
// how it ended, of those that this one needs.
BlockResult come_to(const Program& program, std::size_t block, const std::vector<std::string>& outlets,
                    ValueSources sources);

// Whether a block takes up what went wrong with this one.
bool is_handled(const Program& program, std::size_t block);

// Whose value is the output: a respond block; without one, what ended last in the order of the plan. None: no
// block ran.
std::optional<std::size_t> speaker(const Program& program, const std::vector<protocol::FlowEnded>& ended);

}  // namespace holdfast::flows
