#pragma once

// A conversation as Anthropic's Messages have it: turns of the user and of the model, each a list of blocks,
// with the system text apart. Pure.

#include <nlohmann/json.hpp>
#include <string>

#include "holdfast/status.h"
#include "model/provider.h"
#include "model/request.h"

namespace holdfast::model {

struct AnthropicTurns {
  AnthropicTurns() = default;
  std::string system;
  nlohmann::ordered_json turns;
};

// What only somebody else understands is left out, and what the format refuses of a model's turn.
// INVALID_ARGUMENT: an image or a file is none, or of a kind that the format has no words for.
Result<AnthropicTurns> anthropic_turns(const Request& request, const Dialect& dialect);

}  // namespace holdfast::model
