#pragma once

// The seams through which time, randomness and threads reach the product. `os` implements them for a real
// machine, `sim` for the seeded simulator; only `app`, tests and benchmarks name either. A module that needs
// one takes a reference in its constructor.

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>

namespace holdfast {

// Milliseconds and nanoseconds since the Unix epoch. History events carry this clock.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;
// For measuring and waiting; never stored.
using MonotonicTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  virtual MonotonicTime monotonic() const = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
  // Fills the span; the real implementation reads the system's entropy.
  virtual void fill(std::span<std::uint8_t> bytes) = 0;
};

// Runs callables one at a time, in the order they were posted, on a thread of its own choosing. Thread-safe.
class Executor {
 public:
  using Job = std::move_only_function<void()>;
  virtual ~Executor() = default;
  virtual void post(Job job) = 0;
};

}  // namespace holdfast
