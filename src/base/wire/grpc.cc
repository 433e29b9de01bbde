#include "wire/grpc.h"

#include <google/rpc/status.pb.h>
#include <grpc/support/time.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include "api/method.h"
#include "api/wire_check.h"
#include "base/text.h"

namespace holdfast::rpc {
namespace {

std::string cut(const std::string& text) {
  if (text.size() <= kMaxStatusMessageBytes) return text;
  return std::string(cut_text(text, kMaxStatusMessageBytes)) + "...";
}

}  // namespace

grpc::Status to_grpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message = cut(status.message());
  if (status.details().empty()) return {code, message};
  google::rpc::Status proto;
  proto.set_code(static_cast<int>(status.code()));
  proto.set_message(message);
  for (const StatusDetail& detail : status.details()) {
    auto* any = proto.add_details();
    any->set_type_url(detail.type_url);
    any->set_value(detail.value);
  }
  return {code, message, proto.SerializeAsString()};
}

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

Result<std::size_t> check_fields(grpc::ByteBuffer& bytes, const google::protobuf::Message& request) {
  grpc::ProtoBufferReader reader(&bytes);
  if (!reader.status().ok()) return fail(Code::kInvalidArgument, "the request cannot be read");
  return api::check_wire(*request.GetDescriptor(), reader);
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

std::optional<MonotonicTime> from_gpr(gpr_timespec time) {
  if (gpr_time_cmp(time, gpr_inf_future(time.clock_type)) == 0) return std::nullopt;
  const gpr_timespec monotonic = gpr_convert_clock_type(time, GPR_CLOCK_MONOTONIC);
  return MonotonicTime(std::chrono::seconds(monotonic.tv_sec) + std::chrono::nanoseconds(monotonic.tv_nsec));
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
