#pragma once

// A conversation as OpenAI's Responses format has it: a list of items, in which a model's message is as many
// of them as it was when it came. Pure.

#include <nlohmann/json.hpp>
#include <string>

#include "holdfast/status.h"
#include "model/request.h"

namespace holdfast::model {

// Stands on a text: what else was said of the message that it is part of.
inline constexpr const char* kMessageOfText = "item";

// `origin`: who is asked; what only somebody else understands is left out. INVALID_ARGUMENT: an image or a
// file is none.
Result<nlohmann::ordered_json> response_items(const Request& request, const std::string& origin);

}  // namespace holdfast::model
