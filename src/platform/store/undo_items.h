#pragma once

// Calls of the items of a map or loop that can be taken back: which of them were made, a page at a time, the
// last item first. Nobody has a list of them: their keys follow from run, block and index, and the ledger
// knows who called. Blocks as the store does; any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/store.h"
#include "protocol/steering.h"

namespace holdfast::platform {

// So many calls have one page.
inline constexpr std::size_t kMaxItemCalls = 100;
// So many keys are looked up for one; what was found by then is a page.
inline constexpr std::uint64_t kMaxItemKeys = 10'000;

struct ItemCall {
  ItemCall() = default;
  protocol::Undoable call;
  std::uint64_t item = 0;
  std::uint64_t place = 0;  // `before` of a page that begins behind it
};

struct ItemCalls {
  ItemCalls() = default;
  std::vector<ItemCall> calls;  // in the order in which they are taken back
  std::uint64_t next = 0;       // `before` of the next page; 0: this is the last
};

// `group`: with `items`. `before`: ItemCalls::next of the page before; none: from the last item on.
// INVALID_ARGUMENT when it has no items.
Result<ItemCalls> item_calls(Store& store, const std::string& namespace_name, const protocol::Undoable& group,
                             std::optional<std::uint64_t> before = std::nullopt);

}  // namespace holdfast::platform
