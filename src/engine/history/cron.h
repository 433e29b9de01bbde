#pragma once

// Cron schedules: five fields (minute hour day month weekday, UTC), "@hourly" and its like, "@every 90s".

#include <optional>
#include <string>

#include "history/stored.h"

namespace holdfast::history::cron {

// What is wrong with it, or empty.
std::string problem(const std::string& schedule);
// The first moment after `after`; for "@every" counted from `start`, when the run before was due. Nothing:
// never again.
std::optional<Ns> next(const std::string& schedule, Ns start, Ns after);

}  // namespace holdfast::history::cron
