#pragma once

// The simulated world: one queue of things to come, one source of randomness, one clock. Everything that
// happens in a simulation is a function of the seed: same seed, same events in the same order, same trace
// hash. Single-threaded; never touches the machine.

#include <cstdint>
#include <functional>
#include <queue>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"

namespace holdfast::sim {

inline constexpr std::int64_t kMs = 1'000'000;
inline constexpr std::int64_t kSec = 1'000'000'000;

// SplitMix64. A stream of its own for each user keeps their draws apart.
class SimRandom final : public Random {
 public:
  explicit SimRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;
  void fill(std::span<std::uint8_t> bytes) override;

  // In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high);
  // True once in `n`.
  bool one_in(std::int64_t n) { return between(1, n) == 1; }
  bool percent(std::int64_t p) { return between(1, 100) <= p; }

 private:
  std::uint64_t state_;
};

class World final : public Clock {
 public:
  using Job = std::move_only_function<void()>;

  explicit World(std::uint64_t seed) : random_(seed) {}

  // Nanoseconds since the start of the simulation; never goes back.
  std::int64_t elapsed() const { return now_; }
  void after(std::int64_t delay_ns, Job job);
  // Runs the next thing; false when nothing is left.
  bool step();

  // The wall clock that the engine sees, which can be set wrong.
  WallTime now() const override { return WallTime(std::chrono::nanoseconds(wall_ns())); }
  MonotonicTime monotonic() const override { return MonotonicTime(std::chrono::nanoseconds(now_ + kSec)); }
  std::int64_t wall_ns() const { return kEpoch + now_ + skew_; }
  void jump_clock(std::int64_t by_ns) { skew_ += by_ns; }

  SimRandom& random() { return random_; }

  void trace(std::string_view text);
  std::uint64_t trace_hash() const { return trace_hash_; }
  std::uint64_t steps() const { return steps_; }
  // Prints every traced line to stderr as it happens.
  void set_verbose(bool value) { verbose_ = value; }
  bool verbose() const { return verbose_; }

 private:
  static constexpr std::int64_t kEpoch = 1'800'000'000 * kSec;
  struct Entry {
    std::int64_t at;
    std::uint64_t order;  // things due together happen in the order in which they were asked for
    mutable Job job;
    bool operator<(const Entry& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  std::priority_queue<Entry> queue_;
  std::int64_t now_ = 0;
  std::int64_t skew_ = 0;
  std::uint64_t next_order_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t trace_hash_ = 14695981039346656037ULL;
  SimRandom random_;
  bool verbose_ = false;
};

}  // namespace holdfast::sim
