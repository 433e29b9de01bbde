#pragma once

// Messages that a client packed, which some SDKs do without being asked. Pure functions.

#include <cstddef>
#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::rpc {

// What `packed` holds. RESOURCE_EXHAUSTED: more than `most` bytes; INVALID_ARGUMENT: no gzip.
Result<std::string> unpack_gzip(std::string_view packed, std::size_t most);

}  // namespace holdfast::rpc
