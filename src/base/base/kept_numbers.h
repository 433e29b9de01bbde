#pragma once

// JSON that passes through us with its numbers as they were written. One that no type of 64 bits holds,
// because of its size or because it has more digits than a double, is a binary value of its text: JSON has
// none of its own, and whoever asks for a number or a text does not find one. Pure; linear in the text.

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

#include "base/json.h"

namespace holdfast {

// As parse_json(), which rounds such numbers, or refuses the whole text for one.
nlohmann::ordered_json parse_kept(std::string_view text, int depth = kMaxJsonDepth);

// As dump_json(), with such numbers as they were.
std::string dump_kept(const nlohmann::ordered_json& json);

}  // namespace holdfast
