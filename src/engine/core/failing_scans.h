#pragma once

// For tests: a store whose scans of one table of the executions' shards fail from the next one on when
// `broken` is set, as of a disk that has lost a block. One thread reads it, any thread may break it.

#include <atomic>
#include <utility>

#include "store/keys.h"
#include "store/kv_store.h"

namespace holdfast::engine::testing {

class FailingScans final : public store::KvStore {
 public:
  FailingScans(store::KvStore& store, char table) : store_(store), table_(table) {}

  std::atomic<bool> broken = false;

  Status commit(const store::WriteBatch& batch) override { return store_.commit(batch); }
  Result<std::optional<std::string>> get(std::string_view key) const override { return store_.get(key); }
  Status scan(std::string_view begin, std::string_view end, const Visitor& visit) const override {
    if (broken && begin.size() > 2 && begin[2] == table_)
      return {Code::kDataLoss, "Corruption: block checksum"};
    return store_.scan(begin, end, visit);
  }
  Status scan_reverse(std::string_view begin, std::string_view end, const Visitor& visit) const override {
    return store_.scan_reverse(begin, end, visit);
  }

 private:
  store::KvStore& store_;
  const char table_;
};

}  // namespace holdfast::engine::testing
