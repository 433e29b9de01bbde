#pragma once

// A conversation as Gemini has it: turns of the user and of the model, each a list of parts. Pure.

#include <nlohmann/json.hpp>
#include <string>

#include "holdfast/status.h"
#include "model/request.h"

namespace holdfast::model {

// Stands on a call: the members of its part, and of the call within it, that the format adds to ours.
inline constexpr const char* kGeminiPart = "part";
inline constexpr const char* kGeminiCall = "functionCall";

struct GeminiContents {
  GeminiContents() = default;
  std::string system;
  nlohmann::ordered_json turns;
};

// `origin`: who is asked; what only somebody else understands is left out. `unsigned_calls`: those that the
// asked one did not sign say so, since it refuses them otherwise. INVALID_ARGUMENT: an image or a file is
// none.
Result<GeminiContents> gemini_contents(const Request& request, const std::string& origin,
                                       bool unsigned_calls);

}  // namespace holdfast::model
