#include "model/gate.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "model/fair_queue.h"
#include "model/rate_window.h"

namespace holdfast::model {

using std::chrono::milliseconds;

namespace {

// What one answer says may keep everybody else from asking for so long, and no longer: a nonsense that one
// server said once would stop all runs until the process ends. The call that was told waits as long as it
// was.
constexpr milliseconds kLongestHold = std::chrono::hours(1);

}  // namespace

// Guarded by the state's mutex.
struct Gate::Key {
  Key(std::string name_in, Limit limit_in)
      : name(std::move(name_in)),
        limit(std::move(limit_in)),
        requests(limit.requests_per_minute),
        tokens(limit.tokens_per_minute) {}

  void hand_out(MonotonicTime now) {
    while (in_use < limit.concurrency && !for_slot.empty()) {
      Pass* next = for_slot.front();
      for_slot.pop();
      next->has_slot_ = true;
      ++in_use;
      next->served_.notify_one();
    }
    while (!for_send.empty() && send_at(now) <= now) {
      Pass* next = for_send.front();
      for_send.pop();
      next->sent_ = true;
      next->sent_at_ = now;
      requests.add(1, now);
      tokens.add(next->tokens_, now);
      next->served_.notify_one();
    }
    // The first one knows when its time comes; it may be another than before.
    if (!for_send.empty()) for_send.front()->served_.notify_one();
  }

  // From when on the next one may send. There is one.
  MonotonicTime send_at(MonotonicTime now) const {
    return std::max({held_until, requests.fits_at(1, now), tokens.fits_at(for_send.front()->tokens_, now)});
  }

  bool is_idle(MonotonicTime now) const {
    return in_use == 0 && for_slot.empty() && for_send.empty() && held_until <= now && requests.sum(now) == 0;
  }

  const std::string name;
  const Limit limit;
  std::size_t in_use = 0;
  FairQueue<Pass> for_slot;
  FairQueue<Pass> for_send;
  RateWindow requests;
  RateWindow tokens;
  MonotonicTime held_until{};
};

struct Gate::State {
  State(Limits limits_in, const Clock& clock_in) : limits(std::move(limits_in)), clock(clock_in) {}

  const Limit* limit_of(const KeyUse& use) const {
    const auto found = std::find_if(limits.list.begin(), limits.list.end(),
                                    [&](const Limit& limit) { return limit.is_about(use); });
    return found == limits.list.end() ? nullptr : &*found;
  }

  static std::string name_of(const KeyUse& use) {
    return use.key.empty() ? use.host : use.key + "@" + use.host;
  }

  const Limits limits;
  const Clock& clock;
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Key>> keys{};  // guarded by mutex, and they are
};

Gate::Gate(Limits limits, const Clock& clock) : state_(std::make_shared<State>(std::move(limits), clock)) {}

std::shared_ptr<Gate::Pass> Gate::join(const KeyUse& use, const std::string& agent) {
  const Limit* given = state_->limit_of(use);
  Limit limit;
  limit.concurrency = state_->limits.concurrency;
  if (given != nullptr) limit = *given;
  std::string name = given != nullptr ? given->name() : State::name_of(use);
  const std::lock_guard lock(state_->mutex);
  auto& keys = state_->keys;
  if (keys.size() >= kMaxGateKeys && !keys.contains(name)) {
    const MonotonicTime now = state_->clock.monotonic();
    std::erase_if(keys,
                  [&](const auto& key) { return key.second.use_count() == 1 && key.second->is_idle(now); });
    if (keys.size() >= kMaxGateKeys) name = "all others";  // they share one
  }
  std::shared_ptr<Key>& key = keys[name];
  if (!key) key = std::make_shared<Key>(name, limit);
  return std::shared_ptr<Pass>(new Pass(state_, key, agent));
}

milliseconds Gate::held_back(const KeyUse& use) const {
  const Limit* given = state_->limit_of(use);
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->keys.find(given != nullptr ? given->name() : State::name_of(use));
  if (found == state_->keys.end()) return milliseconds(0);
  return std::max(milliseconds(0),
                  std::chrono::ceil<milliseconds>(found->second->held_until - state_->clock.monotonic()));
}

std::vector<KeyState> Gate::states() const {
  const std::lock_guard lock(state_->mutex);
  const MonotonicTime now = state_->clock.monotonic();
  std::vector<KeyState> out;
  for (const auto& [name, key] : state_->keys) {
    KeyState one;
    one.name = name;
    one.limit = key->limit;
    one.in_use = key->in_use;
    one.waiting = key->for_slot.size() + key->for_send.size();
    one.requests = key->requests.sum(now);
    one.tokens = key->tokens.sum(now);
    one.held_back = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(key->held_until - now));
    out.push_back(std::move(one));
  }
  return out;
}

// ---- one call

Gate::Pass::Pass(std::shared_ptr<State> state, std::shared_ptr<Key> key, std::string agent)
    : state_(std::move(state)), key_(std::move(key)), agent_(std::move(agent)), name_(key_->name) {}

bool Gate::Pass::slot_within(milliseconds longest) {
  std::unique_lock lock(state_->mutex);
  if (!std::exchange(asked_slot_, true)) key_->for_slot.push(agent_, this);
  key_->hand_out(state_->clock.monotonic());
  if (has_slot_) return true;
  return served_.wait_for(lock, longest, [this] { return has_slot_; });
}

bool Gate::Pass::send_within(std::int64_t tokens, milliseconds longest) {
  std::unique_lock lock(state_->mutex);
  if (!std::exchange(asked_send_, true)) {
    tokens_ = std::max<std::int64_t>(tokens, 0);
    key_->for_send.push(agent_, this);
  }
  const MonotonicTime give_up = state_->clock.monotonic() + longest;
  for (;;) {
    const MonotonicTime now = state_->clock.monotonic();
    key_->hand_out(now);
    if (sent_) return true;
    if (now >= give_up) return false;
    const bool first = key_->for_send.front() == this;
    const MonotonicTime next = first ? std::min(give_up, key_->send_at(now)) : give_up;
    served_.wait_for(lock, std::max<std::chrono::nanoseconds>(next - now, milliseconds(1)));
  }
}

void Gate::Pass::used(std::int64_t tokens) {
  const std::lock_guard lock(state_->mutex);
  if (!sent_) return;
  const MonotonicTime now = state_->clock.monotonic();
  key_->tokens.correct(tokens - std::exchange(tokens_, tokens), sent_at_, now);
  key_->hand_out(now);
}

void Gate::Pass::hold_back(milliseconds time) {
  time = std::min(time, kLongestHold);
  const std::lock_guard lock(state_->mutex);
  key_->held_until = std::max(key_->held_until, state_->clock.monotonic() + time);
}

Gate::Pass::~Pass() {
  const std::lock_guard lock(state_->mutex);
  if (asked_slot_ && !has_slot_) key_->for_slot.remove(agent_, this);
  if (asked_send_ && !sent_) key_->for_send.remove(agent_, this);
  if (has_slot_) --key_->in_use;
  key_->hand_out(state_->clock.monotonic());
}

}  // namespace holdfast::model
