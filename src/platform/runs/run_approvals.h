#pragma once

// The approvals of a run that is over: nobody is left to ask. A run that was terminated, timed out or
// deleted settles none of its questions itself, and they would be listed as pending for ever.

#include <functional>
#include <string>
#include <string_view>

#include "platform/store.h"

namespace holdfast::runs {

// Those that are pending become expired. Blocks on the store; what it cannot do now is told to `log`, and is
// done when the run is next seen to be over.
void expire_approvals(platform::Store& store, const std::string& run,
                      const std::function<void(std::string_view)>& log);

}  // namespace holdfast::runs
