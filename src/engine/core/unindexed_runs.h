#pragma once

// UnindexedRuns: the closed runs that the table of expiries does not know, because they closed under a build
// that did not keep it. Looked up once for each namespace, when a retention is chosen for it, a slice at a
// time; a process that dies in between begins again. The same thread as ExpiredRuns, which owns it. Failures
// are the store's.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "engine/sweep_slice.h"
#include "holdfast/status.h"
#include "store/kv_store.h"

namespace holdfast::engine {

class UnindexedRuns {
 public:
  struct Namespace {
    std::string id;
    std::string name;
  };
  // Executions that one slice looks at.
  static constexpr std::size_t kLooks = 256;

  explicit UnindexedRuns(const store::KvStore& store) : store_(store) {}

  void begin(std::vector<Namespace> namespaces);
  bool done() const { return left_.empty(); }
  // Of the first namespace that is left; the last slice says that it is indexed.
  Result<SweepSlice> next();

 private:
  Status look_at(const std::string& end, SweepSlice* slice);

  const store::KvStore& store_;
  std::deque<Namespace> left_;
  std::uint16_t shard_ = 0;
  std::string at_;  // where in the shard it goes on; empty: at its beginning
};

}  // namespace holdfast::engine
