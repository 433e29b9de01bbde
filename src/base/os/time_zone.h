#pragma once

// Time zones, by the names and rules of the machine's database (tzdata): when a cron schedule is due on the
// clocks of a place. Thread-safe; rules are read once per process. Failure: INVALID_ARGUMENT, no such zone.

#include <memory>
#include <optional>
#include <string>

#include "base/cron.h"
#include "base/zone_rules.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::os {

class TimeZone {
 public:
  // "Europe/Berlin", "UTC".
  static Result<TimeZone> load(const std::string& name);

  // The first moment after `after`; nothing: there is none. A time that clocks jump over is due when they
  // jump; one that they show twice is due once, the first time. Every hour, though, is every hour that
  // passes.
  std::optional<WallTime> next(const CronFields& cron, WallTime after) const;

  struct Rules;

 private:
  explicit TimeZone(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}
  std::shared_ptr<const Rules> rules_;
};

// The seam over them.
class SystemZoneRules final : public ZoneRules {
 public:
  bool known(const std::string& zone) const override;
  std::optional<std::int64_t> next(const std::string& zone, const CronFields& cron,
                                   std::int64_t after) const override;
};

}  // namespace holdfast::os
