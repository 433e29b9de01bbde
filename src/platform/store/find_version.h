#pragma once

// The version of an agent that somebody names (protocol/agent_reference.h), out of a store. Blocks as the
// store does; any thread.

#include <string_view>

#include "holdfast/status.h"
#include "platform/store.h"

namespace holdfast::platform {

// `version`: a label, a hash or what only one begins with; empty: the current one. NOT_FOUND when there is
// none, INVALID_ARGUMENT when several begin so.
Result<Definition> find_version(Store& store, std::string_view agent, std::string_view version);

}  // namespace holdfast::platform
