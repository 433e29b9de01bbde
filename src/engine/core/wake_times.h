#pragma once

// WakeTimes: when each execution needs attention next. One time per execution, whether it is in memory or
// not: what an execution that only waits takes in memory is its entry here. The core owns it; its thread
// only.

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/packed_texts.h"
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
  // One whose time has come, the earliest first. It stays until it is armed anew.
  std::optional<RunKey> due(Ns now) const;
  // Of all of them, about.
  std::size_t bytes() const { return bytes_; }

 private:
  struct ByBytes {
    using is_transparent = void;
    static std::string_view of(const PackedTexts& key) { return key.bytes(); }
    static std::string_view of(std::string_view key) { return key; }
    bool operator()(const auto& a, const auto& b) const { return of(a) < of(b); }
  };
  using Wake = std::pair<Ns, const PackedTexts*>;  // the key of armed_
  struct Earlier {
    bool operator()(const Wake& a, const Wake& b) const {
      return a.first != b.first ? a.first < b.first : a.second->bytes() < b.second->bytes();
    }
  };
  static std::size_t bytes_of(const PackedTexts& key);

  std::map<PackedTexts, Ns, ByBytes> armed_;
  std::set<Wake, Earlier> wakes_;
  std::size_t bytes_ = 0;
};

}  // namespace holdfast::engine
