#pragma once

// What both halves of gRPC share: Status with its typed details <-> grpc::Status with
// grpc-status-details-bin, messages
// <-> byte buffers, deadlines. Pure functions. Included by .cc files only.

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <optional>
#include <string>

#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::rpc {

// A message longer than this is cut: it travels in HTTP/2 trailers, which peers limit.
inline constexpr std::size_t kMaxStatusMessageBytes = 4096;

grpc::Status to_grpc(const Status& status);
Status from_grpc(const grpc::Status& status);

// What check_wire (api/wire_check.h) says of these bytes as a message of this type.
Result<std::size_t> check_fields(grpc::ByteBuffer& bytes, const google::protobuf::Message& request);

grpc::ByteBuffer serialise(const google::protobuf::Message& message);
// False when the bytes are not a message of this type. Consumes the buffer.
bool parse(grpc::ByteBuffer& bytes, google::protobuf::Message& message);

// None for "no deadline".
std::optional<MonotonicTime> from_gpr(gpr_timespec time);
gpr_timespec to_gpr(MonotonicTime time);

}  // namespace holdfast::rpc
