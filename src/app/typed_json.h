#pragma once

// What somebody typed, as JSON or as text. JSON that cannot be kept as it is (an integer of more than 64 bits)
// is refused: sent as text or rounded it would be another value. Pure functions.

#include <string>

#include <nlohmann/json.hpp>

#include "holdfast/status.h"

namespace holdfast::app {

// JSON where it is some, text where not. INVALID_ARGUMENT: JSON that would be changed.
Result<nlohmann::ordered_json> json_or_text(const std::string& typed);

// An input: an object or array is meant as JSON, everything else as text.
Result<nlohmann::ordered_json> typed_input(const std::string& typed);

}  // namespace holdfast::app
