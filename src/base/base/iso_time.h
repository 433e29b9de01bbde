#pragma once

// Times as the JSON of the APIs has them, so that two compare as text.

#include <string>

#include "holdfast/seams.h"

namespace holdfast {

// UTC to the millisecond, cut: "2026-11-21T09:00:00.123Z".
std::string iso_time(WallTime time);

}  // namespace holdfast
