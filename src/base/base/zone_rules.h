#pragma once

// ZoneRules: a seam to the rules of time zones, for whoever may not read files: when cron fields are due on
// the clocks of a place.

#include <cstdint>
#include <optional>
#include <string>

#include "base/cron.h"

namespace holdfast {

class ZoneRules {
 public:
  virtual ~ZoneRules() = default;
  // Whether there is such a zone: "Europe/Berlin".
  virtual bool known(const std::string& zone) const = 0;
  // The first moment after `after`, in nanoseconds since 1970; nothing: there is none, or no such zone.
  virtual std::optional<std::int64_t> next(const std::string& zone, const CronFields& cron,
                                           std::int64_t after) const = 0;
};

}  // namespace holdfast
