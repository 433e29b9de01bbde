#include "sim/world.h"

#include <cstdio>
#include <utility>

#include "base/ids.h"

namespace holdfast::sim {

std::uint64_t SimRandom::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

void SimRandom::fill(std::span<std::uint8_t> bytes) {
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(next());
}

std::int64_t SimRandom::between(std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
}

void World::after(std::int64_t delay_ns, Job job) {
  queue_.push({now_ + (delay_ns > 0 ? delay_ns : 0), next_order_++, std::move(job)});
}

bool World::step() {
  if (queue_.empty()) return false;
  now_ = queue_.top().at;
  Job job = std::move(queue_.top().job);
  queue_.pop();
  ++steps_;
  job();
  return true;
}

void World::trace(std::string_view text) {
  trace_hash_ = stable_hash(text, trace_hash_ ^ static_cast<std::uint64_t>(now_));
  if (verbose_) {
    std::fprintf(stderr, "%10.3f  %.*s\n", static_cast<double>(now_) / 1e9, static_cast<int>(text.size()),
                 text.data());
  }
}

}  // namespace holdfast::sim
