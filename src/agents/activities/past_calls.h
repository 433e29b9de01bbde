#pragma once

// What a run that takes up another one, or is a fork of it, knows of the calls that were made before: the rules of its
// policy look at them as they would have there. Out of the logs of those runs, which say when a call was made and how
// it ended; its arguments stay in the conversation.

#include <functional>
#include <string>
#include <vector>

#include "platform/store.h"
#include "platform/streams.h"
#include "protocol/policy.h"

namespace holdfast::agent {

struct PastCalls {
  std::vector<protocol::PastCall> calls;  // the oldest first, at most kMaxPastBytes; their step is 0
  std::vector<std::string> lost;          // tools of which not all are there
};

struct PastOf {
  std::string run;            // that is taken up
  std::uint64_t message = 0;  // up to which its conversation goes on
};

// Of the tools that are watched ("*": of all). `bound`: the arguments of a tool that the model does not see. Blocks as
// the stores do; any thread.
Result<PastCalls> past_calls(platform::Store& store, platform::Streams& streams, const PastOf& of,
                             const std::vector<std::string>& watched,
                             const std::function<protocol::Json(const std::string& tool)>& bound);

}  // namespace holdfast::agent
