// Calls that code makes (code_tool.cc): each goes the way of a call that the model makes, from the policy's
// verdict to the answer, and is a step of its own.

#include <fmt/format.h>

#include "agent/loop.h"
#include "definition/code_calls.h"
#include "holdfast/failure.h"

namespace holdfast::agent {

Task<std::vector<ToolAnswer>> Loop::answer_code(std::vector<PlannedCall> calls) {
  code_calls_ += static_cast<int>(calls.size());
  if (code_calls_ > kMostCodeCallsOfTurn) {
    throw ApplicationFailure::non_retryable(
        fmt::format(
            "the code of one turn may make {} calls, and these are more; the rest is for the next turn",
            kMostCodeCallsOfTurn),
        "CodeLimitError");
  }
  if (!calls.empty()) code_rounds_[calls.front().call.ordinal] = calls.front().call.round;
  std::vector<Task<ToolAnswer>> tasks;
  for (PlannedCall& call : calls) {
    number(call);
    tasks.push_back(answer_call(std::move(call)));
  }
  auto waiting = all(std::move(tasks));
  co_return co_await std::move(waiting);
}

std::string Loop::cut_short() const {
  return interrupted_ ? "a message came first" + interrupted_by_ : std::string();
}

}  // namespace holdfast::agent
