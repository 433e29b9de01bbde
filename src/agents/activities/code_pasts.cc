#include "activities/code_pasts.h"

#include <iterator>

namespace holdfast::agent {

CodePast CodePasts::remove(Kept::iterator one) {
  CodePast out = std::move(one->second);
  bytes_ -= out.size();
  places_.erase(one->first);
  kept_.erase(one);
  return out;
}

void CodePasts::keep(const std::string& round, CodePast past) {
  const std::lock_guard lock(mutex_);
  if (const auto before = places_.find(round); before != places_.end()) remove(before->second);
  bytes_ += past.size();
  kept_.emplace_front(round, std::move(past));
  places_[round] = kept_.begin();
  while (bytes_ > kMaxBytes || kept_.size() > kMaxKept) remove(std::prev(kept_.end()));
}

std::optional<CodePast> CodePasts::take(const std::string& round) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(round);
  if (place == places_.end()) return std::nullopt;
  return remove(place->second);
}

}  // namespace holdfast::agent
