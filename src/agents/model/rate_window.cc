#include "model/rate_window.h"

#include <algorithm>

namespace holdfast::model {

std::int64_t RateWindow::sum(MonotonicTime now) const {
  const std::int64_t current = number_at(now);
  std::int64_t out = 0;
  for (const Slice& slice : slices_) {
    if (counts(slice, current)) out += slice.amount;
  }
  return out;
}

MonotonicTime RateWindow::fits_at(std::int64_t amount, MonotonicTime now) const {
  if (limit_ == 0) return now;
  const std::int64_t room = std::max<std::int64_t>(limit_ - amount, 0);
  std::int64_t taken = sum(now);
  if (taken <= room) return now;
  const std::int64_t current = number_at(now);
  for (std::int64_t number = current - kSlices + 1; number <= current; ++number) {
    if (number < 0) continue;
    const Slice& slice = slices_[static_cast<std::size_t>(number % kSlices)];
    if (slice.number != number) continue;
    taken -= slice.amount;
    if (taken <= room) return MonotonicTime((number + kSlices) * kSlice);
  }
  return MonotonicTime((current + kSlices) * kSlice);
}

void RateWindow::add(std::int64_t amount, MonotonicTime now) {
  const std::int64_t number = number_at(now);
  Slice& slice = slices_[static_cast<std::size_t>(number % kSlices)];
  if (slice.number != number) slice = {.number = number, .amount = 0};
  slice.amount += amount;
}

void RateWindow::correct(std::int64_t more, MonotonicTime then, MonotonicTime now) {
  const std::int64_t number = number_at(then);
  Slice& slice = slices_[static_cast<std::size_t>(number % kSlices)];
  if (slice.number == number && counts(slice, number_at(now))) slice.amount += more;
}

}  // namespace holdfast::model
