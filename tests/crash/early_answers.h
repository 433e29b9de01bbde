#pragma once

// The crash loop's planted bug: a store that says "durable" one batch too early, so that the engine above it
// lets answers go which a kill takes back. The loop has to notice: else it proves nothing. Only crash_server
// has it.
//
// A batch is written when the next one, or a reader, comes; the last one with the destructor. Thread-safe as
// KvStore says: one committer, any number of readers.

#include <mutex>

#include "store/kv_store.h"

namespace holdfast::crash {

class EarlyAnswers final : public store::KvStore {
 public:
  explicit EarlyAnswers(store::KvStore& store) : store_(store) {}
  ~EarlyAnswers() override { (void)write_held(); }

  Status commit(const store::WriteBatch& batch) override;
  Result<std::optional<std::string>> get(std::string_view key) const override;
  Status scan(std::string_view begin, std::string_view end, const Visitor& visit) const override;
  Status scan_reverse(std::string_view begin, std::string_view end, const Visitor& visit) const override;

 private:
  Status write_held() const;

  store::KvStore& store_;
  mutable std::mutex mutex_;
  mutable store::WriteBatch held_;  // guarded by mutex_
};

}  // namespace holdfast::crash
