#pragma once

// What went wrong, as the loop tells it: the cause that a person can act on, at the end of a failure's chain.
// Pure.

#include <algorithm>
#include <chrono>
#include <string>

#include "holdfast/failure.h"
#include "holdfast/options.h"
#include "protocol/activities.h"

namespace holdfast::agent {

// A worker that died is noticed after this; activities beat every kBeatInterval.
inline constexpr std::chrono::seconds kHeartbeatTimeout{10};

// No engine takes a longest interval that is shorter than the first one: then the first one is it.
inline ::holdfast::RetryPolicy retry_policy(const protocol::Json& retry) {
  const std::chrono::milliseconds initial(retry.value("initial_ms", 1000));
  const std::chrono::milliseconds maximum(retry.value("maximum_ms", 30000));
  return ::holdfast::RetryPolicy()
      .initial(initial)
      .backoff(retry.value("backoff", 2.0))
      .maximum(std::max(initial, maximum))
      .attempts(retry.value("attempts", 1));
}

// An activity's own failure, or a timeout.
inline const Failure& root_of(const Failure& failure) {
  const Failure* at = &failure;
  while (at->cause()) at = at->cause().get();
  return *at;
}

inline std::string type_of(const Failure& failure) {
  const Failure& root = root_of(failure);
  if (const auto* application = dynamic_cast<const ApplicationFailure*>(&root)) return application->type();
  return std::string(root.kind());
}

// The failures of activities that may not spend what they would: not the call is wrong, and no model mends
// it.
inline bool is_budget(const std::string& type) {
  return type == "BudgetExceeded" || type == "BudgetExceededError";
}

inline protocol::ToolAnswer error_answer(const protocol::CallRef& call, std::string text) {
  protocol::ToolAnswer answer;
  answer.ordinal = call.ordinal;
  answer.id = call.id;
  answer.source = protocol::AnswerSource::kError;
  answer.text = std::move(text);
  answer.step = call.step;
  return answer;
}

}  // namespace holdfast::agent
