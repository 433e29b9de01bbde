#pragma once

// Failures to and from temporal.api.failure.v1.Failure, the whole chain of causes.

#include <exception>
#include <string>

#include "api/messages.h"
#include "holdfast/failure.h"

namespace holdfast::client {

inline constexpr const char* kFailureSource = "HoldfastCpp";
// Deeper chains are cut: a failure is a message, not a database.
inline constexpr int kMaxFailureDepth = 32;

// "std::out_of_range"
std::string exception_type(const std::exception& error);

void set_failure(const Failure& from, pb::failure::v1::Failure* to);
FailurePtr from_proto(const pb::failure::v1::Failure& failure);

}  // namespace holdfast::client
