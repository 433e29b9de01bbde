// Cron schedules of clients. One that has no problem names its next moments in bounded work, each later than
// the one before.

#include "history/cron.h"

#include "fuzz.h"

namespace holdfast::history {

FUZZ(input) {
  const std::string schedule(input);
  if (!cron::problem(schedule).empty()) return;
  constexpr Ns kStart = 1'700'000'000'000'000'000;
  Ns at = kStart;
  for (int i = 0; i < 5; ++i) {
    const auto next = cron::next(schedule, kStart, at);
    if (!next) return;
    REQUIRE(*next > at);
    at = *next;
  }
}

}  // namespace holdfast::history
