#include "engine/wake_times.h"

#include <string>

namespace holdfast::engine {

namespace {

std::string packed(const RunKey& key) {
  return pack_texts({key.namespace_id, key.workflow_id, key.run_id});
}

}  // namespace

// An entry of each table, and the name.
std::size_t WakeTimes::bytes_of(const PackedTexts& key) {
  return 112 + key.size_in_memory();
}

void WakeTimes::arm(const RunKey& key, Ns at) {
  const std::string name = packed(key);
  auto found = armed_.find(std::string_view(name));
  if (found != armed_.end()) {
    if (found->second == at) return;
    wakes_.erase({found->second, &found->first});
    if (at == 0) {
      bytes_ -= bytes_of(found->first);
      armed_.erase(found);
      return;
    }
    found->second = at;
  } else if (at == 0) {
    return;
  } else {
    found = armed_.emplace(PackedTexts(name), at).first;
    bytes_ += bytes_of(found->first);
  }
  wakes_.emplace(at, &found->first);
}

void WakeTimes::arm_if_unknown(const RunKey& key, Ns at) {
  if (!armed_.contains(std::string_view(packed(key)))) arm(key, at);
}

std::optional<RunKey> WakeTimes::due(Ns now) const {
  if (wakes_.empty() || wakes_.begin()->first > now) return std::nullopt;
  auto [namespace_id, workflow_id, run_id] = wakes_.begin()->second->texts<3>();
  return RunKey{std::move(namespace_id), std::move(workflow_id), std::move(run_id)};
}

}  // namespace holdfast::engine
