#include "engine/parked_calls.h"

#include "base/check.h"

namespace holdfast::engine {

CallId ParkedCalls::park(Parked parked) {
  const CallId id = parked.call.id;
  deadlines_.emplace(parked.deadline_ns, id);
  if (parked.poll()) ++polls_;
  const bool inserted = parked_.emplace(id, std::move(parked)).second;
  HF_CHECK(inserted);
  return id;
}

Parked* ParkedCalls::find(CallId id) {
  const auto found = parked_.find(id);
  return found == parked_.end() ? nullptr : &found->second;
}

std::optional<Parked> ParkedCalls::take(CallId id) {
  const auto found = parked_.find(id);
  if (found == parked_.end()) return std::nullopt;
  std::optional<Parked> parked(std::move(found->second));
  parked_.erase(found);
  deadlines_.erase({parked->deadline_ns, id});
  if (parked->poll()) --polls_;
  return parked;
}

std::optional<Parked> ParkedCalls::take_due(Ns now) {
  if (deadlines_.empty() || deadlines_.begin()->first > now) return std::nullopt;
  return take(deadlines_.begin()->second);
}

std::optional<Parked> ParkedCalls::take_any() {
  if (parked_.empty()) return std::nullopt;
  return take(parked_.begin()->first);
}

}  // namespace holdfast::engine
