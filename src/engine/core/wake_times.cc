#include "engine/wake_times.h"

namespace holdfast::engine {

void WakeTimes::arm(const RunKey& key, Ns at) {
  auto found = armed_.find(key);
  if (found != armed_.end()) {
    if (found->second == at) return;
    wakes_.erase({found->second, &found->first});
    if (at == 0) {
      armed_.erase(found);
      return;
    }
    found->second = at;
  } else if (at == 0) {
    return;
  } else {
    found = armed_.emplace(key, at).first;
  }
  wakes_.emplace(at, &found->first);
}

void WakeTimes::arm_if_unknown(const RunKey& key, Ns at) {
  if (!armed_.contains(key)) arm(key, at);
}

}  // namespace holdfast::engine
