#pragma once

// Rate: how many tasks of a queue may go in a second. After a pause so many may go at once; Temporal's queues
// have the same allowance. A plain value, in nanoseconds of whoever's clock; nothing can fail.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace holdfast::matching {

class Rate {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  // At least 0, with which nothing goes.
  explicit Rate(double per_second)
      : per_second_(per_second),
        interval_(static_cast<std::int64_t>(std::min(kSecond / per_second, kLongest))),
        allowance_(static_cast<std::int64_t>(std::min(
            (std::max(std::ceil(per_second), 1.0) - 1) * static_cast<double>(interval_), kSecond))) {}

  double per_second() const { return per_second_; }
  // The moment from which on a task may go; it may have passed.
  std::int64_t ready() const { return per_second_ > 0 ? used_up_to_ - allowance_ : kNever; }
  // One goes.
  void went(std::int64_t now) { used_up_to_ = std::max(used_up_to_, now) + interval_; }
  // Another rate from now on: what went counts, and nothing waits longer than it would with this one alone.
  void change(double per_second, std::int64_t now) {
    Rate changed(per_second);
    changed.used_up_to_ = std::min(used_up_to_, now + changed.allowance_ + changed.interval_);
    *this = changed;
  }

 private:
  static constexpr double kSecond = 1e9;
  static constexpr double kLongest = 100.0 * 365 * 24 * 3600 * kSecond;

  double per_second_;
  std::int64_t interval_;   // between two tasks
  std::int64_t allowance_;  // how far ahead of that tasks may be
  std::int64_t used_up_to_ = 0;
};

}  // namespace holdfast::matching
