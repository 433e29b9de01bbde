#pragma once

// The trace within which a request asks for a run, as a setting of that run. Internal to the module; pure.

#include <nlohmann/json.hpp>

#include "http/message.h"

namespace holdfast::http {

// Of the headers `traceparent` and `tracestate`; nothing when they say nothing.
void put_trace(nlohmann::json& settings, const Request& request);

}  // namespace holdfast::http
