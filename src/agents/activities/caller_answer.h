#pragma once

// What a run answers to the run that called it: the record of the call, in which the caller finds it.

#include <string>

#include "definition/definition.h"
#include "platform/store.h"
#include "protocol/run.h"

namespace holdfast::agent {

inline constexpr std::size_t kMaxAnswerInline = 64 * 1024;  // to a flow; what is more is a blob

// `agent`: whose call it is, and how much of the answer its model sees; null: the caller is a flow. A large
// answer is stored here; the record is the caller's to commit.
platform::StepWrite answer_to(platform::Store& store, const protocol::Caller& caller,
                              const AgentDefinition* agent, std::string answer);

}  // namespace holdfast::agent
