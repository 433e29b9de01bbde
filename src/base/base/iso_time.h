#pragma once

// Times as the JSON of the APIs has them, so that two compare as text.

#include <optional>
#include <string>
#include <string_view>

#include "holdfast/seams.h"

namespace holdfast {

// UTC to the millisecond, cut: "2026-11-21T09:00:00.123Z".
std::string iso_time(WallTime time);

// "2026-11-21T09:00:00Z", with or without seconds and their fraction (cut to the millisecond), or an offset
// such as +01:00 instead of Z; none for anything else, a time without a zone included. Years 1970 to 2261.
std::optional<WallTime> parse_iso_time(std::string_view text);

}  // namespace holdfast
