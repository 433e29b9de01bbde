#pragma once

// The JSON of this room: members keep their order.

#include <nlohmann/json.hpp>

namespace holdfast::openai {

using Json = nlohmann::ordered_json;

}  // namespace holdfast::openai
