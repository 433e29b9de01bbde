#include "api/wire_check.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <limits>
#include <string>

#include "api/field_bounds.h"

namespace holdfast::api {
namespace {

using google::protobuf::internal::WireFormatLite;

// Beside the bytes of a string, a scalar in a list, a field that is not known.
constexpr std::size_t kStringBytes = 40;
constexpr std::size_t kScalarBytes = 8;
constexpr std::size_t kUnknownFieldBytes = 32;
// The parser's own bound.
constexpr int kMaxDepth = 100;

class WireWalk {
 public:
  WireWalk(const google::protobuf::Descriptor& type, google::protobuf::io::ZeroCopyInputStream& bytes)
      : type_(type), in_(&bytes) {
    in_.SetRecursionLimit(kMaxDepth);
  }

  Status message(const MessagePlan& plan) {
    parsed_bytes_ += plan.object_bytes;
    while (const std::uint32_t tag = in_.ReadTag()) {
      if (++fields_ > kMaxFields) {
        return {Code::kInvalidArgument,
                "The request has more than " + std::to_string(kMaxFields) + " fields and entries."};
      }
      if (Status wrong = field(plan.find(WireFormatLite::GetTagFieldNumber(tag)), tag); !wrong.ok())
        return wrong;
    }
    return in_.ConsumedEntireMessage() ? Status() : malformed();
  }

  std::size_t parsed_bytes() const { return parsed_bytes_; }

 private:
  Status malformed() const {
    return {Code::kInvalidArgument, "the request is not a valid " + type_.full_name()};
  }

  Status field(const FieldPlan* known, std::uint32_t tag) {
    switch (WireFormatLite::GetTagWireType(tag)) {
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED: break;
      case WireFormatLite::WIRETYPE_VARINT:
      case WireFormatLite::WIRETYPE_FIXED32:
      case WireFormatLite::WIRETYPE_FIXED64:
        parsed_bytes_ += known == nullptr ? kUnknownFieldBytes : kScalarBytes;
        return WireFormatLite::SkipField(&in_, tag) ? Status() : malformed();
      default: return malformed();  // groups: none of the service's messages has one
    }
    std::uint32_t length = 0;
    if (!in_.ReadVarint32(&length) || length > std::numeric_limits<int>::max()) return malformed();
    if (known == nullptr) {
      unknown_bytes_ += length;
      parsed_bytes_ += kUnknownFieldBytes + kStringBytes;
      if (unknown_bytes_ > kMaxUnknownBytes) {
        return {Code::kInvalidArgument, "The request has more than " + std::to_string(kMaxUnknownBytes) +
                                            " bytes in fields that this server does not know."};
      }
    } else if (length > known->most_bytes) {
      return {Code::kInvalidArgument, known->too_long};
    } else if (known->kind == FieldPlan::Kind::kMessage) {
      return nested(*known->message, length);
    } else {
      // A packed list has no tags: at most one scalar a byte.
      parsed_bytes_ += known->kind == FieldPlan::Kind::kBytes ? kStringBytes : length * (kScalarBytes - 1);
    }
    parsed_bytes_ += length;
    return in_.Skip(static_cast<int>(length)) ? Status() : malformed();
  }

  Status nested(const MessagePlan& plan, std::uint32_t length) {
    const auto [outer, depth_left] = in_.IncrementRecursionDepthAndPushLimit(static_cast<int>(length));
    if (depth_left < 0) return malformed();
    Status wrong = message(plan);
    if (!wrong.ok()) return wrong;
    return in_.DecrementRecursionDepthAndPopLimit(outer) ? Status() : malformed();
  }

  const google::protobuf::Descriptor& type_;
  google::protobuf::io::CodedInputStream in_;
  std::size_t fields_ = 0;
  std::size_t unknown_bytes_ = 0;
  std::size_t parsed_bytes_ = 0;
};

}  // namespace

Result<std::size_t> check_wire(const google::protobuf::Descriptor& request,
                               google::protobuf::io::ZeroCopyInputStream& bytes) {
  const MessagePlan* plan = plan_of(request);
  if (plan == nullptr) return fail(Code::kInternal, request.full_name() + " is no request of the service");
  WireWalk walk(request, bytes);
  if (Status wrong = walk.message(*plan); !wrong.ok()) return fail(std::move(wrong));
  return walk.parsed_bytes();
}

}  // namespace holdfast::api
