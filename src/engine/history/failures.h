#pragma once

// Failures the server itself writes, in Temporal's wording: SDKs show them to users and tests compare them.

#include <string>

#include "history/stored.h"

namespace holdfast::history {

// "StartToClose", ...
std::string timeout_name(enums::TimeoutType type);
// "activity StartToClose timeout"
Failure timeout_failure(enums::TimeoutType type);
Failure server_failure(std::string message, bool non_retryable);
Failure terminated_failure(std::string message, const std::string& identity);
// As Temporal's words have it: "StartTimer".
std::string command_name(enums::CommandType type);
// Keeps a failure below `limit` bytes: the message and the stack trace are cut, details and causes go.
Failure truncated(const Failure& failure, std::int64_t limit);
// What a worker said of a failure; of one that is larger than `limit` that it is, final, with its beginning as the
// cause.
Failure bounded_failure(const Failure& failure, std::int64_t limit);

}  // namespace holdfast::history
