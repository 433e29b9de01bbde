#include "history/update_registry.h"

#include <algorithm>

namespace holdfast::history {

Update* UpdateRegistry::find(const std::string& update_id) {
  const auto found = updates_.find(update_id);
  return found == updates_.end() ? nullptr : &found->second;
}

Update& UpdateRegistry::admit(const pb::update::v1::Request& request) {
  Update& update = updates_[request.meta().update_id()];
  update.stage = UpdateStage::kAdmitted;
  update.request = request;
  update.order = next_order_++;
  return update;
}

std::vector<std::pair<std::string, Update*>> UpdateRegistry::waiting(bool include_sent) {
  std::vector<std::pair<std::string, Update*>> result;
  for (auto& [id, update] : updates_) {
    if (update.stage == UpdateStage::kAdmitted || (include_sent && update.stage == UpdateStage::kSent)) {
      result.emplace_back(id, &update);
    }
  }
  std::sort(result.begin(), result.end(),
            [](const auto& a, const auto& b) { return a.second->order < b.second->order; });
  return result;
}

bool UpdateRegistry::has_unsent() const {
  return std::any_of(updates_.begin(), updates_.end(),
                     [](const auto& entry) { return entry.second.stage == UpdateStage::kAdmitted; });
}

bool UpdateRegistry::has_waiting() const {
  return std::any_of(updates_.begin(), updates_.end(), [](const auto& entry) {
    return entry.second.stage == UpdateStage::kAdmitted || entry.second.stage == UpdateStage::kSent;
  });
}

std::size_t UpdateRegistry::in_flight() const {
  return static_cast<std::size_t>(std::count_if(updates_.begin(), updates_.end(), [](const auto& entry) {
    return entry.second.stage != UpdateStage::kCompleted && entry.second.stage != UpdateStage::kRejected;
  }));
}

void UpdateRegistry::forget_ended() {
  std::erase_if(updates_, [](const auto& entry) {
    return entry.second.stage == UpdateStage::kCompleted || entry.second.stage == UpdateStage::kRejected;
  });
}

}  // namespace holdfast::history
