#include "connect/grpc_messages.h"

#include <google/rpc/status.pb.h>
#include <grpc/support/time.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

namespace holdfast::rpc {

Status from_grpc(const grpc::Status& status) {
  if (status.ok()) return {};
  const int number = status.error_code();
  const Code code = number > 0 && number <= static_cast<int>(Code::kUnauthenticated)
                        ? static_cast<Code>(number)
                        : Code::kUnknown;
  Status result(code, status.error_message());
  google::rpc::Status proto;
  if (!status.error_details().empty() && proto.ParseFromString(status.error_details())) {
    for (auto& any : *proto.mutable_details()) {
      result.with_detail(std::move(*any.mutable_type_url()), std::move(*any.mutable_value()));
    }
  }
  return result;
}

grpc::ByteBuffer serialise(const google::protobuf::Message& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  // Fails for messages over 2 GiB only, which no limit of ours lets exist.
  (void)grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::Message>(message, &bytes, &own);
  return bytes;
}

bool parse(grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
  return grpc::GenericDeserialize<grpc::ProtoBufferReader, google::protobuf::Message>(&bytes, &message).ok();
}

gpr_timespec to_gpr(MonotonicTime time) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  gpr_timespec result;
  result.tv_sec = since / 1'000'000'000;
  result.tv_nsec = static_cast<std::int32_t>(since % 1'000'000'000);
  result.clock_type = GPR_CLOCK_MONOTONIC;
  return result;
}

}  // namespace holdfast::rpc
