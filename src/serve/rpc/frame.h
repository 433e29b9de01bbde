#pragma once

// How gRPC writes things into HTTP/2: the prefix of a message, deadlines, statuses. Pure functions. The rules
// are those of gRPC's document "gRPC over HTTP2" (grpc/doc/PROTOCOL-HTTP2.md).

#include <google/protobuf/message.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::rpc {

// Before each message: a byte that says whether it is packed, and its length in four, the highest first.
inline constexpr std::size_t kPrefixBytes = 5;

struct Prefix {
  bool packed = false;
  std::uint32_t length = 0;
};
// None: the first byte is neither 0 nor 1.
std::optional<Prefix> read_prefix(std::string_view five_bytes);

// The message with its prefix. `length`: what ByteSizeLong() has just said of it.
std::string framed(const google::protobuf::Message& message, std::size_t length);
std::string framed(std::string_view message);

// "100m", "5S": at most eight digits and a unit. None: no such thing.
std::optional<std::chrono::nanoseconds> read_timeout(std::string_view text);

using Headers = std::vector<std::pair<std::string, std::string>>;
// grpc-status and, where there is an error, grpc-message and grpc-status-details-bin.
Headers status_headers(const Status& status);

}  // namespace holdfast::rpc
