#pragma once

// The state of a run as rows: one of the state, and one for each thing that it holds beyond what fits with
// the state (docs/formats/store.md). A batch writes the row of the state and of the rest what changed, so
// that a change costs the same whatever else the run holds. Rows of builds that stored everything with the
// state are read as they are, and are taken apart at their first write.
//
// Pure. Bytes come from a disk: what is wrong with them is a false answer, never a crash.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/holdings.h"
#include "history/stored.h"

namespace holdfast::history {

// What stands with the state has at most so many bytes, of all kinds together.
inline constexpr std::size_t kInlineBytes = 4096;

struct PartRow {
  int kind = 0;  // Kind::part
  std::int64_t n = 0;
  std::optional<std::string> value;  // none: it is no more
};

struct StateRows {
  std::string state;
  std::vector<PartRow> parts;
};

// What changed of `held` since it was asked last, and `head`, the state without what it holds.
StateRows take_rows(const stored::ExecutionState& head, Holdings& held);

// Takes out of a whole state what it holds, and the other way round.
Holdings take_holdings(stored::ExecutionState& state);
void add_holdings(const Holdings& held, stored::ExecutionState& state);

class StateReader {
 public:
  // The row of the state, first.
  bool state(std::string_view bytes);
  const stored::ExecutionState& head() const { return head_; }
  // How many more rows there have to be.
  std::int64_t missing() const { return missing_; }
  // One of them, in the order of their keys.
  bool part(int kind, std::int64_t n, std::string_view bytes);
  stored::ExecutionState take_head() { return std::move(head_); }
  Holdings take_held() { return std::move(held_); }

 private:
  stored::ExecutionState head_;
  Holdings held_;
  std::int64_t missing_ = 0;
};

}  // namespace holdfast::history
