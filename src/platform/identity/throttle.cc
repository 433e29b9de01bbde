#include "identity/throttle.h"

#include <algorithm>

namespace holdfast::identity {

std::chrono::milliseconds Throttle::pause(std::string_view who, MonotonicTime now) const {
  const auto found = entries_.find(who);
  if (found == entries_.end() || found->second.until <= now) return {};
  return std::chrono::ceil<std::chrono::milliseconds>(found->second.until - now);
}

void Throttle::failed(std::string_view who, MonotonicTime now) {
  if (entries_.size() >= limits_.most && !entries_.contains(who)) make_room(now);
  Entry& entry = entries_[std::string(who)];
  // Whoever kept still for as long as the longest pause begins anew.
  if (entry.failures > 0 && entry.until + limits_.longest_pause < now) entry.failures = 0;
  ++entry.failures;
  entry.until = now;
  if (entry.failures <= limits_.free_failures) return;
  const std::uint32_t doublings = std::min(entry.failures - limits_.free_failures - 1, 20U);
  entry.until +=
      std::min<std::chrono::seconds>(limits_.first_pause * (1U << doublings), limits_.longest_pause);
}

void Throttle::succeeded(std::string_view who) {
  const auto found = entries_.find(who);
  if (found != entries_.end()) entries_.erase(found);
}

void Throttle::make_room(MonotonicTime now) {
  std::erase_if(entries_,
                [&](const auto& entry) { return entry.second.until + limits_.longest_pause < now; });
  if (entries_.size() < limits_.most) return;
  const auto least = std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
    return a.second.until < b.second.until;
  });
  entries_.erase(least);
}

}  // namespace holdfast::identity
