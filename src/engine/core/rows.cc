#include "engine/rows.h"

namespace holdfast::engine {

Result<std::optional<std::string>> Rows::get(const std::string& key) const {
  if (const auto found = changes_.find(key); found != changes_.end()) return found->second;
  for (auto batch = in_flight_.rbegin(); batch != in_flight_.rend(); ++batch) {
    if (const auto found = batch->second.find(key); found != batch->second.end()) return found->second;
  }
  return store_.get(key);
}

void Rows::send(std::uint64_t sequence, RowChanges batch) {
  if (!batch.empty()) in_flight_.emplace_back(sequence, std::move(batch));
}

void Rows::committed(std::uint64_t sequence) {
  while (!in_flight_.empty() && in_flight_.front().first <= sequence) in_flight_.pop_front();
}

}  // namespace holdfast::engine
