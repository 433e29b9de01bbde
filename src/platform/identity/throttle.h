#pragma once

// Throttle: how long somebody who failed has to wait before the next attempt counts. The first few are free;
// then the pause doubles, up to a bound. Of somebody who has not failed for long nothing is kept. One thread
// at a time; time is an argument.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "holdfast/seams.h"

namespace holdfast::identity {

struct ThrottleLimits {
  std::uint32_t free_failures = 5;
  std::chrono::seconds first_pause{1};
  std::chrono::seconds longest_pause{900};
  std::size_t most = 10'000;  // whom it remembers; beyond it those who wait least are forgotten
};

class Throttle {
 public:
  explicit Throttle(ThrottleLimits limits) : limits_(limits) {}

  // Zero: now.
  std::chrono::milliseconds pause(std::string_view who, MonotonicTime now) const;
  void failed(std::string_view who, MonotonicTime now);
  void succeeded(std::string_view who);

 private:
  struct Entry {
    std::uint32_t failures = 0;
    MonotonicTime until{};
  };
  void make_room(MonotonicTime now);

  const ThrottleLimits limits_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace holdfast::identity
