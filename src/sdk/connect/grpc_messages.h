#pragma once

// gRPC's types <-> ours: statuses with their typed details (grpc-status-details-bin), messages, deadlines.
// Pure functions. Included by .cc files only.

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::rpc {

Status from_grpc(const grpc::Status& status);

grpc::ByteBuffer serialise(const google::protobuf::Message& message);
// False when the bytes are not a message of this type. Consumes the buffer.
bool parse(grpc::ByteBuffer& bytes, google::protobuf::Message& message);

gpr_timespec to_gpr(MonotonicTime time);

}  // namespace holdfast::rpc
