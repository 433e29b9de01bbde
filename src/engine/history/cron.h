#pragma once

// Cron schedules: five fields (minute hour day month weekday, UTC or behind "CRON_TZ=Europe/Berlin "),
// "@hourly" and its like, "@every 90s".

#include <optional>
#include <string>

#include "base/zone_rules.h"
#include "history/stored.h"

namespace holdfast::history::cron {

// The zones of the process, given by whoever may read files, before the first schedule is looked at; they
// outlive the last. Without: UTC alone. Like the calendar, they are rules, and the same for all.
void set_zones(const ZoneRules* zones);

// What is wrong with it, or empty.
std::string problem(const std::string& schedule);
// The first moment after `after`; for "@every" counted from `start`, when the run before was due. Nothing:
// never again.
std::optional<Ns> next(const std::string& schedule, Ns start, Ns after);

}  // namespace holdfast::history::cron
