#include "model/breaker.h"

#include <algorithm>
#include <utility>

namespace holdfast::model {

using std::chrono::milliseconds;

namespace {

milliseconds left(MonotonicTime until, MonotonicTime now) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - now));
}

}  // namespace

CallEnd end_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kRateLimited:
    case ErrorKind::kOverloaded:
    case ErrorKind::kQuotaExhausted:
    case ErrorKind::kStreamCut:
    case ErrorKind::kTimeout:
    case ErrorKind::kConnection: return CallEnd::kFailed;
    // It answered, and meant this request.
    case ErrorKind::kContentFilter:
    case ErrorKind::kInvalidPrompt:
    case ErrorKind::kBadRequest:
    case ErrorKind::kUnknownStop:
    case ErrorKind::kInvalidOutput: return CallEnd::kWorked;
    // A key that is missing here says nothing of the server.
    case ErrorKind::kAuth:
    case ErrorKind::kNotGranted:
    case ErrorKind::kCancelled: return CallEnd::kNeither;
  }
  return CallEnd::kNeither;
}

// ---- one

std::int64_t Breaker::slice_at(MonotonicTime now) const {
  const auto length = std::max<std::chrono::nanoseconds>(rules_.window / kSlices, milliseconds(1));
  return now.time_since_epoch() / length;
}

Breaker::Sum Breaker::sum(MonotonicTime now) const {
  Sum out;
  const std::int64_t current = slice_at(now);
  for (const Slice& slice : slices_) {
    if (slice.number <= current - static_cast<std::int64_t>(kSlices)) continue;
    out.calls += slice.calls;
    out.failures += slice.failures;
  }
  return out;
}

Breaker::State Breaker::state(MonotonicTime now) const {
  if (!open_) return State::kClosed;
  return probing_ || now >= open_until_ ? State::kHalfOpen : State::kOpen;
}

Breaker::May Breaker::ask(MonotonicTime now) {
  if (!open_) return May::kCall;
  if (probing_ || now < open_until_) return May::kNot;
  probing_ = true;
  return May::kProbe;
}

void Breaker::ended(CallEnd end, bool probe, MonotonicTime now) {
  if (probe) probing_ = false;
  if (end == CallEnd::kNeither) return;  // the next one may probe
  if (open_) {
    // What began before it opened says nothing new when it fails.
    if (end == CallEnd::kWorked) return close();
    if (probe) open(now);
    return;
  }
  const std::int64_t number = slice_at(now);
  Slice& slice = slices_[static_cast<std::size_t>(number) % kSlices];
  if (slice.number != number) slice = {.number = number, .calls = 0, .failures = 0};
  ++slice.calls;
  if (end == CallEnd::kWorked) return;
  ++slice.failures;
  const Sum in_window = sum(now);
  if (in_window.failures >= rules_.failures && 2 * in_window.failures >= in_window.calls) open(now);
}

void Breaker::open(MonotonicTime now) {
  open_for_ =
      open_ ? std::min(open_for_ * 2, std::max(rules_.longest_open, rules_.open_for)) : rules_.open_for;
  open_ = true;
  open_until_ = now + open_for_;
}

void Breaker::close() {
  open_ = false;
  slices_ = {};
}

bool Breaker::is_quiet(MonotonicTime now) const {
  return !open_ && sum(now).failures == 0;
}

// ---- all

std::shared_ptr<Breaker> Breakers::State::of(const std::string& endpoint) {
  if (const auto found = breakers.find(endpoint); found != breakers.end()) return found->second;
  if (breakers.size() >= kMaxBreakers) {
    const MonotonicTime now = clock.monotonic();
    std::erase_if(breakers, [&](const auto& entry) { return entry.second->is_quiet(now); });
  }
  auto fresh = std::make_shared<Breaker>(rules);
  // Of endpoints beyond so many that fail at one time nothing is remembered: they are called.
  if (breakers.size() < kMaxBreakers) breakers.emplace(endpoint, fresh);
  return fresh;
}

std::expected<Breakers::Call, milliseconds> Breakers::enter(const std::string& endpoint) {
  const std::lock_guard lock(state_->mutex);
  auto breaker = state_->of(endpoint);
  const MonotonicTime now = state_->clock.monotonic();
  const Breaker::May may = breaker->ask(now);
  if (may == Breaker::May::kNot) return std::unexpected(left(breaker->open_until(), now));
  return Call(state_, std::move(breaker), may == Breaker::May::kProbe);
}

Breakers::Call Breakers::enter_anyway(const std::string& endpoint) {
  const std::lock_guard lock(state_->mutex);
  return {state_, state_->of(endpoint), false};
}

std::optional<milliseconds> Breakers::open_for(const std::string& endpoint) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->breakers.find(endpoint);
  if (found == state_->breakers.end()) return std::nullopt;
  const MonotonicTime now = state_->clock.monotonic();
  const Breaker& breaker = *found->second;
  if (breaker.state(now) != Breaker::State::kOpen && !breaker.is_probing()) return std::nullopt;
  return left(breaker.open_until(), now);
}

std::map<std::string, Breaker::State> Breakers::states() const {
  const std::lock_guard lock(state_->mutex);
  const MonotonicTime now = state_->clock.monotonic();
  std::map<std::string, Breaker::State> out;
  for (const auto& [endpoint, breaker] : state_->breakers) out.emplace(endpoint, breaker->state(now));
  return out;
}

void Breakers::Call::ended(CallEnd end) {
  const auto breaker = std::exchange(breaker_, nullptr);
  if (!breaker) return;
  const std::lock_guard lock(state_->mutex);
  breaker->ended(end, probe_, state_->clock.monotonic());
}

Breakers::Call::~Call() {
  ended(CallEnd::kNeither);
}

}  // namespace holdfast::model
