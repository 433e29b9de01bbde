#pragma once

// RateWindow: how much was begun in the last minute, whichever minute that is: no burst at the turn of one
// and none of what is saved up. Counted in slices, so that it takes the same room whatever the rate; a slice
// is let go of when all of it is a minute old, and a little older, since a server's minute begins when a
// request arrives there. Pure.

#include <array>
#include <chrono>
#include <cstdint>

#include "holdfast/seams.h"

namespace holdfast::model {

class RateWindow {
 public:
  static constexpr std::chrono::milliseconds kLength{60'000};
  static constexpr std::chrono::milliseconds kSlice{250};

  // 0: everything fits.
  explicit RateWindow(std::int64_t limit) : limit_(limit) {}

  // From when on so much fits; now or earlier: it does. What is more than the limit fits when nothing else is
  // there, or it would never.
  MonotonicTime fits_at(std::int64_t amount, MonotonicTime now) const;
  void add(std::int64_t amount, MonotonicTime now);
  // What was added at `then` turned out to be so much more, or less.
  void correct(std::int64_t more, MonotonicTime then, MonotonicTime now);
  std::int64_t sum(MonotonicTime now) const;

 private:
  // One more for what is begun now, one for the margin.
  static constexpr std::int64_t kSlices = kLength / kSlice + 2;
  struct Slice {
    std::int64_t number = -1;
    std::int64_t amount = 0;
  };

  static std::int64_t number_at(MonotonicTime at) { return at.time_since_epoch() / kSlice; }
  bool counts(const Slice& slice, std::int64_t current) const {
    return slice.number >= 0 && slice.number > current - kSlices;
  }

  std::int64_t limit_;
  std::array<Slice, static_cast<std::size_t>(kSlices)> slices_{};
};

}  // namespace holdfast::model
