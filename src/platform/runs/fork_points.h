#pragma once

// Where a conversation can be forked: behind a message that leaves no call without an answer. Reads a run's
// conversation a page at a time, and of messages only what is needed here. Values, but for the store.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "holdfast/status.h"
#include "platform/store.h"
#include "runs/forks.h"

namespace holdfast::runs {

enum class Speaker : std::uint8_t { kUser, kAssistant, kTool, kOther };

struct Line {
  Line() = default;
  std::uint64_t sequence = 0;
  Speaker speaker = Speaker::kOther;
  std::vector<AskedCall> calls;  // of an assistant
  std::string answers;           // of a tool: the id of the call
};
Line line_of(const platform::Message& message);

class Points {
 public:
  Points(platform::Store& store, platform::Reference head) : store_(store), head_(std::move(head)) {}

  std::uint64_t last() const { return head_.sequence; }
  // 1 to last().
  Result<Line> at(std::uint64_t sequence);
  // Behind that message, in the conversation as it is seen from the head.
  Result<platform::Reference> reference(std::uint64_t sequence);
  // Each from `first` on, until false.
  Status each(std::uint64_t first, const std::function<bool(const Line&)>& take);

  // Whether no call is without its answer behind that message.
  Result<bool> is_whole(std::uint64_t sequence);
  // The nearest such place before, or that very one.
  Result<std::uint64_t> whole_before(std::uint64_t sequence);
  // Behind the answers of the turn of the assistant's message; itself, when there are none.
  Result<std::uint64_t> end_of_turn(std::uint64_t sequence);

 private:
  platform::Store& store_;
  const platform::Reference head_;
};

}  // namespace holdfast::runs
