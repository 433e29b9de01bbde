#pragma once

// WakeTimes: when each execution needs attention next. One time per execution, whether it is in memory or
// not. The core owns it; its thread only.

#include <map>
#include <set>
#include <utility>

#include "engine/run.h"

namespace holdfast::engine {

class WakeTimes {
 public:
  // At most one time: the last one said. 0: none.
  void arm(const RunKey& key, Ns at);
  // 0: nobody needs any.
  Ns next() const { return wakes_.empty() ? 0 : wakes_.begin()->first; }
  // One whose time has come, the earliest first; null: none. It stays until it is armed anew.
  const RunKey* due(Ns now) const {
    return wakes_.empty() || wakes_.begin()->first > now ? nullptr : &wakes_.begin()->second;
  }

 private:
  std::set<std::pair<Ns, RunKey>> wakes_;
  std::map<RunKey, Ns> armed_;
};

}  // namespace holdfast::engine
