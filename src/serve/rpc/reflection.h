#pragma once

// Server reflection (grpc.reflection.v1 and v1alpha, which differ in their names only): what grpcurl and its
// like ask to learn our services. Pure; the descriptors are compiled in.

#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::rpc {

bool is_reflection(std::string_view path);

// The answer to one ServerReflectionRequest. INVALID_ARGUMENT: it is none.
Result<std::string> reflect(std::string_view request);

}  // namespace holdfast::rpc
