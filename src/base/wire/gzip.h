#pragma once

// Messages that a client compressed, which some SDKs do without being asked. gRPC would unpack them without a
// bound before it looks at their size, so the server has that turned off and unpacks them here. Pure
// functions. Included by .cc files only.

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>

#include "holdfast/status.h"

namespace holdfast::rpc {

// A message of protobuf never begins as gzip does: its first byte would be a wire type that does not exist.
bool is_gzip(const grpc::ByteBuffer& bytes);

// Replaces `bytes` by what they hold. RESOURCE_EXHAUSTED: more than `most` bytes; INVALID_ARGUMENT: no gzip.
Status unpack_gzip(grpc::ByteBuffer& bytes, std::size_t most);

}  // namespace holdfast::rpc
