#pragma once

// What requests that steer a run have in common. Internal to the module.

#include <chrono>
#include <expected>
#include <string>

#include "http/json_reply.h"
#include "http/message.h"
#include "runs/runs.h"

namespace holdfast::http {

// How long a request waits for the run's answer.
inline constexpr std::chrono::milliseconds kAnswerWithin{10'000};

// {"input", "id", "by"} and the headers of a message into a run; whose, says the caller.
std::expected<runs::SteerRequest, Problem> read_message(const Json& body, const Request& request);
Response steered_response(const runs::SteerRequest& steered, const Result<std::string>& answer);

}  // namespace holdfast::http
