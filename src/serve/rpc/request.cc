#include "rpc/request.h"

#include <fmt/format.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "api/field_bounds.h"
#include "api/messages.h"
#include "api/wire_check.h"
#include "rpc/gzip.h"

namespace holdfast::rpc {
namespace {

Status hold(HeldMemory& held, std::size_t bytes) {
  Status full = held.resize(bytes);
  return full.ok() ? full : exhausted(full.message(), false);
}

}  // namespace

Status exhausted(std::string message, bool too_many) {
  pb::errordetails::v1::ResourceExhaustedFailure detail;
  detail.set_cause(too_many ? enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT
                            : enums::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED);
  detail.set_scope(enums::RESOURCE_EXHAUSTED_SCOPE_SYSTEM);
  return Status(Code::kResourceExhausted, std::move(message))
      .with_detail("type.googleapis.com/" + detail.GetTypeName(), detail.SerializeAsString());
}

Result<api::MessagePtr> take_request(api::Method method, RequestBytes request, std::size_t most,
                                     HeldMemory& held) {
  if (request.packed) {
    // Two at once for a moment, the packed and the other.
    if (Status full = hold(held, held.bytes() + most); !full.ok()) return fail(std::move(full));
    auto unpacked = unpack_gzip(request.bytes, most);
    if (!unpacked) return fail(unpacked.error());
    request.bytes = *std::move(unpacked);
  }
  api::MessagePtr message = api::new_request(method);
  std::size_t message_bytes = 0;
  // A short one costs and breaks nothing.
  if (request.bytes.size() > api::kSmallestBound) {
    google::protobuf::io::ArrayInputStream stream(request.bytes.data(),
                                                  static_cast<int>(request.bytes.size()));
    const auto checked = api::check_wire(*message->GetDescriptor(), stream);
    if (!checked) return fail(checked.error());
    message_bytes = *checked > kSmallBytes ? *checked : 0;
    if (Status full = hold(held, request.bytes.size() + message_bytes); !full.ok())
      return fail(std::move(full));
  }
  if (!message->ParseFromString(request.bytes)) {
    return fail(Code::kInvalidArgument, fmt::format("the request is not a valid {}", message->GetTypeName()));
  }
  (void)held.resize(message_bytes);  // fewer: cannot fail
  return message;
}

}  // namespace holdfast::rpc
