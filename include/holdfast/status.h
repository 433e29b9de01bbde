#pragma once

// Status and Result: how every module reports failure. Codes are gRPC's canonical ones, so a status crosses
// the wire unchanged. Nothing in the engine throws across a module boundary.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast {

// https://grpc.github.io/grpc/core/md_doc_statuscodes.html; the numbers are part of the protocol.
enum class Code : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "NOT_FOUND", "INVALID_ARGUMENT", ...
std::string_view code_name(Code code);

// A typed detail, as google.rpc.Status carries it: Temporal's SDKs choose their exception by it
// (temporal.api.errordetails.v1). The base module knows no protobuf, hence bytes.
struct StatusDetail {
  std::string type_url;
  std::string value;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::vector<StatusDetail>& details() const { return details_; }

  Status& with_detail(std::string type_url, std::string value) & {
    details_.push_back({std::move(type_url), std::move(value)});
    return *this;
  }
  Status&& with_detail(std::string type_url, std::string value) && {
    details_.push_back({std::move(type_url), std::move(value)});
    return std::move(*this);
  }

  // "NOT_FOUND: workflow execution not found"
  std::string to_string() const;

 private:
  Code code_ = Code::kOk;
  std::string message_;
  std::vector<StatusDetail> details_;
};

template <typename T>
using Result = std::expected<T, Status>;

inline std::unexpected<Status> fail(Code code, std::string message) {
  return std::unexpected<Status>(Status(code, std::move(message)));
}
inline std::unexpected<Status> fail(Status status) {
  return std::unexpected<Status>(std::move(status));
}

}  // namespace holdfast
