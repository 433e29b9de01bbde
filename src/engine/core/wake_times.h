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
  // What was stored of an execution that nobody has asked for yet: no news about one that has a time.
  void arm_if_unknown(const RunKey& key, Ns at);
  // 0: nobody needs any.
  Ns next() const { return wakes_.empty() ? 0 : wakes_.begin()->first; }
  // One whose time has come, the earliest first; null: none. It stays until it is armed anew.
  const RunKey* due(Ns now) const {
    return wakes_.empty() || wakes_.begin()->first > now ? nullptr : wakes_.begin()->second;
  }

 private:
  using Wake = std::pair<Ns, const RunKey*>;  // the key of armed_
  struct Earlier {
    bool operator()(const Wake& a, const Wake& b) const {
      return a.first != b.first ? a.first < b.first : *a.second < *b.second;
    }
  };
  std::map<RunKey, Ns> armed_;
  std::set<Wake, Earlier> wakes_;
};

}  // namespace holdfast::engine
