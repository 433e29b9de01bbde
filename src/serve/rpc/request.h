#pragma once

// The bytes of a request become its message. Pure functions; where the request is long they take
// milliseconds.

#include <cstddef>
#include <string>

#include "api/connection.h"
#include "base/memory_budget.h"
#include "holdfast/status.h"

namespace holdfast::rpc {

// An open call without its request and reply: ours, nghttp2's, the engine's. What is smaller than a quarter
// of it is not counted by itself.
inline constexpr std::size_t kCallBytes = 16 << 10;
inline constexpr std::size_t kSmallBytes = kCallBytes / 4;

struct RequestBytes {
  std::string bytes;
  bool packed = false;
};

// In this order: unpack what is packed, see what it would cost and whether its fields keep their bounds, and
// only then make objects of it. Afterwards `held` holds what the message takes. RESOURCE_EXHAUSTED: longer
// than `most` when unpacked, or no memory for it. INVALID_ARGUMENT: no message of that method's type, or a
// field out of its bounds.
Result<api::MessagePtr> take_request(api::Method method, RequestBytes request, std::size_t most,
                                     HeldMemory& held);

// RESOURCE_EXHAUSTED with the detail for which Temporal's SDKs look.
Status exhausted(std::string message, bool too_many);

}  // namespace holdfast::rpc
