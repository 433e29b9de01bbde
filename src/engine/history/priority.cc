#include "history/priority.h"

#include <algorithm>
#include <cstddef>

namespace holdfast::history::priority {

namespace {

constexpr std::size_t kMostFairnessKeyBytes = 64;

constexpr std::int32_t kLevels = 5;

}  // namespace

std::uint8_t level(const pb::common::v1::Priority& priority) {
  if (priority.priority_key() <= 0) return kDefaultLevel;
  return static_cast<std::uint8_t>(std::min(priority.priority_key(), kLevels));
}

std::string problem(const pb::common::v1::Priority& priority) {
  if (priority.priority_key() < 0) return "PriorityKey can't be negative";
  if (priority.fairness_key().size() > kMostFairnessKeyBytes) return "FairnessKey length exceeds limit";
  // Not a number, neither: it compares with nothing.
  if (!(priority.fairness_weight() >= 0)) return "FairnessWeight can't be negative";
  return {};
}

}  // namespace holdfast::history::priority
