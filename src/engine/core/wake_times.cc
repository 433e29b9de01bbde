#include "engine/wake_times.h"

namespace holdfast::engine {

void WakeTimes::arm(const RunKey& key, Ns at) {
  const auto found = armed_.find(key);
  if (found != armed_.end()) {
    if (found->second == at) return;
    wakes_.erase({found->second, key});
    if (at == 0) {
      armed_.erase(found);
      return;
    }
    found->second = at;
  } else if (at == 0) {
    return;
  } else {
    armed_.emplace(key, at);
  }
  wakes_.emplace(at, key);
}

}  // namespace holdfast::engine
