#pragma once

// What a request costs, and whether its fields keep their bounds (field_bounds.h), read from its bytes before
// anything is made of them: sixteen megabytes of two bytes each would be a gigabyte of objects. One pass, no
// allocation, at most kMaxFields steps; thread-safe. Whether the bytes are the message is for the parser to
// say: what is plainly none is INVALID_ARGUMENT here too.

#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/message.h>

#include <cstddef>

#include "holdfast/status.h"

namespace holdfast::api {

inline constexpr std::size_t kMaxFields = 200'000;        // of one request, nested ones and entries included
inline constexpr std::size_t kMaxUnknownBytes = 1 << 20;  // in fields that this server does not know

// The bytes that the parsed request will take in memory, about. INVALID_ARGUMENT names the field that is too
// long.
Result<std::size_t> check_wire(const google::protobuf::Descriptor& request,
                               google::protobuf::io::ZeroCopyInputStream& bytes);

}  // namespace holdfast::api
