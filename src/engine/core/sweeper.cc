#include "engine/sweeper.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/options.h"

namespace holdfast::engine {

namespace {
// Fewer deleted rows than these are left to the store's own housekeeping.
constexpr std::uint64_t kWorthReclaiming = 10'000;
// As many rows as one large payload is worth.
constexpr std::uint64_t kRowsOfLargePayload = 200;
// Of five turns others have four: a slice costs the rewriting of tables, too, later and on other threads.
constexpr int kTurnsOfOthers = 4;
// The longest that a slice waits for its turn, however long the last one took.
constexpr std::chrono::nanoseconds kLongestTurn = std::chrono::milliseconds(50);
}  // namespace

Sweeper::Sweeper(store::KvStore& store, const Clock& clock, const EngineLimits& limits, Host host)
    : store_(store), clock_(clock), limits_(limits), host_(std::move(host)), expired_(store, limits) {}

Sweeper::~Sweeper() {
  stop();
}

void Sweeper::start() {
  thread_ = std::thread([this] { loop(); });
  pthread_setname_np(thread_.native_handle(), "sweeper");
}

void Sweeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Sweeper::swept() {
  {
    const std::lock_guard lock(mutex_);
    under_way_ = false;
  }
  wake_.notify_one();
}

void Sweeper::look() {
  {
    const std::lock_guard lock(mutex_);
    looking_ = true;
  }
  wake_.notify_one();
}

void Sweeper::loop() {
  while (true) {
    auto slice = expired_.next(clock_.now().time_since_epoch().count());
    if (!slice) {
      host_.on_fatal(slice.error());
      return;
    }
    if (!slice->empty()) {
      if (!sweep_one(*std::move(slice))) return;
      continue;
    }
    reclaim();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::nanoseconds(limits_.sweep_pause_ns),
                   [this] { return stopping_ || looking_; });
    looking_ = false;
    if (stopping_) return;
  }
}

bool Sweeper::sweep_one(SweepSlice slice) {
  for (const auto& expired : slice.expired)
    unreclaimed_ += expired.pages.size() + expired.large.size() * kRowsOfLargePayload + 1;
  const MonotonicTime begun = clock_.monotonic();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    under_way_ = true;
  }
  host_.hand_over(std::move(slice));
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !under_way_; });
  const auto turn =
      std::min<std::chrono::nanoseconds>(kTurnsOfOthers * (clock_.monotonic() - begun), kLongestTurn);
  wake_.wait_for(lock, turn, [this] { return stopping_; });
  return !stopping_;
}

void Sweeper::reclaim() {
  if (unreclaimed_ < kWorthReclaiming) return;
  unreclaimed_ = 0;
  store_.reclaim([this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  });
}

}  // namespace holdfast::engine
