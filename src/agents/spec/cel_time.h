#pragma once

// Times of CEL as texts: RFC 3339, durations such as "1h30m" and "-1.5s", and the parts of a date. Private to
// this room. Zones are fixed offsets: the names of zones mean what the machine's tables say, and these
// change.

#include <optional>
#include <string>
#include <string_view>

#include "spec/cel_value.h"

namespace holdfast::spec::cel {

std::optional<Nanos> parse_timestamp(std::string_view text);
std::string format_timestamp(Nanos nanos);
std::optional<Nanos> parse_span(std::string_view text);
std::string format_span(Nanos nanos);

struct Date {
  std::int64_t year = 0, month = 0, day = 0, day_of_year = 0, day_of_week = 0;  // from 0, and day from 1
  std::int64_t hours = 0, minutes = 0, seconds = 0, milliseconds = 0;
};
Date date_of(Nanos nanos);
// Nanoseconds east of UTC: "UTC", "+01:00", "-05:30". None: it is no fixed offset.
std::optional<Nanos> zone_offset(std::string_view zone);

}  // namespace holdfast::spec::cel
