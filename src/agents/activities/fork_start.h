#pragma once

// What a run begins with that was forked from another one. Blocks as the store does; any thread. Failing is
// throwing ApplicationFailure.

#include <optional>
#include <vector>

#include "holdfast/activity.h"
#include "model/message.h"
#include "platform/store.h"
#include "protocol/fork.h"
#include "protocol/run.h"

namespace holdfast::agent {

// None: the run is no fork.
std::optional<protocol::Fork> fork_of(platform::Store& store, activity::Context& ctx,
                                      const protocol::RunInput& run);
// The answers of the turn as they are, but for the one that was edited.
std::vector<model::Message> edited_answers(platform::Store& store, const protocol::Fork& fork);

}  // namespace holdfast::agent
