#pragma once

// What the operator lets model keys be used for, in a file:
//
//   apiVersion: holdfast.dev/v1
//   kind: Limits
//   concurrency: 50                      # of a key that no limit names
//   breaker: {failures: 5, window: 60s, open_for: 30s}
//   limits:
//     - {key: OPENAI_API_KEY, requests_per_minute: 500, tokens_per_minute: 200000, concurrency: 40}
//     - {host: localhost:11434, concurrency: 2}
//
// Pure. INVALID_ARGUMENT names every mistake with its place.

#include <string_view>

#include "holdfast/status.h"
#include "model/breaker.h"
#include "model/limits.h"

namespace holdfast::agent {

struct ModelLimits {
  model::Limits limits;
  model::BreakerRules breaker;
};

// `source` names the file in errors.
Result<ModelLimits> parse_limits_file(std::string_view text, std::string_view source);

}  // namespace holdfast::agent
