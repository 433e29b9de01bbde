#pragma once

// The machine's clock and entropy. Stateless and thread-safe.

#include "holdfast/seams.h"

namespace holdfast::os {

class SystemClock : public Clock {
 public:
  WallTime now() const override;
  MonotonicTime monotonic() const override;
};

// The kernel's entropy (getrandom). Thread-safe.
class SystemRandom : public Random {
 public:
  std::uint64_t next() override;
  void fill(std::span<std::uint8_t> bytes) override;
};

}  // namespace holdfast::os
