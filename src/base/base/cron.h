#pragma once

// The five fields of a cron schedule (minute hour day month weekday), or @hourly and its like, over civil
// time: which offset from UTC a minute has is for whoever knows the time zone. Pure.

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace holdfast {

struct CronFields {
  struct Field {
    int low;
    int high;
    std::uint64_t bits = 0;
    bool any = false;  // "*"
  };
  // Whether it means every hour that there is, as a clock that is set back shows one twice.
  bool every_hour() const { return fields[1].any; }

  bool overstepped = false;  // a step is longer than its field ("*/70" minutes): it never steps
  std::array<Field, 5> fields{Field{0, 59}, Field{0, 23}, Field{1, 31}, Field{1, 12}, Field{0, 6}};
};

// Nothing: it is no such schedule.
std::optional<CronFields> parse_cron(std::string text);

// The first minute that matches, `from` or later, in minutes since 1970-01-01 00:00. Nothing: there is none.
std::optional<std::int64_t> next_cron_minute(const CronFields& cron, std::int64_t from);

}  // namespace holdfast
