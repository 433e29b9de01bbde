#pragma once

// Bytes of what is kept beside a run, in as many reads as they take. Blocks; the activity tells that it lives
// meanwhile. As require() throws; NOT_FOUND, final, when they are gone.

#include <cstddef>
#include <cstdint>
#include <string>

#include "holdfast/activity.h"
#include "platform/store.h"

namespace holdfast::agent {

std::string read_blob(activity::Context& ctx, platform::Store& store, const std::string& sha256,
                      std::uint64_t offset, std::size_t bytes);

}  // namespace holdfast::agent
