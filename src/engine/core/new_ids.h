#pragma once

// NewIds: the ids the core gives out (runs, requests, namespaces, updates): UUIDs that order by the core's
// time. The core owns it; its thread only.

#include <array>
#include <cstdint>
#include <string>

#include "base/ids.h"
#include "engine/core_clock.h"
#include "holdfast/seams.h"

namespace holdfast::engine {

class NewIds {
 public:
  NewIds(Random& random, const CoreClock& clock) : random_(random), clock_(clock) {}

  // Bytes that nobody can guess.
  std::string secret() {
    std::array<std::uint8_t, 32> bytes;
    random_.fill(bytes);
    return std::string(bytes.begin(), bytes.end());
  }
  std::string next() { return new_uuid_v7(random_, clock_.now() / history::kMillisecond); }

 private:
  Random& random_;
  const CoreClock& clock_;
};

}  // namespace holdfast::engine
