#pragma once

// KvStore: the ordered, durable map under the engine. `store` implements it on RocksDB, `sim` in memory with
// crashes that lose what was not committed. Keys and values are bytes; store/keys.h says what they hold.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::store {

// A set of changes that becomes durable as a whole or not at all. Later changes to the same key win.
class WriteBatch {
 public:
  struct Change {
    std::string key;
    std::optional<std::string> value;  // none: delete
  };

  void put(std::string key, std::string value) { changes_.push_back({std::move(key), std::move(value)}); }
  void erase(std::string key) { changes_.push_back({std::move(key), std::nullopt}); }
  bool empty() const { return changes_.empty(); }
  const std::vector<Change>& changes() const { return changes_; }
  void clear() { changes_.clear(); }

 private:
  std::vector<Change> changes_;
};

class KvStore {
 public:
  virtual ~KvStore() = default;

  // Durable (synced to the disk) when it returns OK. Anything else means that the state of the disk is
  // unknown: the caller stops the process and never retries. Thread-safe; one commit waits for the other.
  virtual Status commit(const WriteBatch& batch) = 0;

  // It has more to put in order than it should: commits that can wait leave the way to those that cannot.
  virtual bool is_behind() const { return false; }

  // What is committed. Thread-safe.
  virtual Result<std::optional<std::string>> get(std::string_view key) const = 0;

  // Visits begin <= key < end in order until `visit` returns false. An empty `end` means no upper bound.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;
  virtual Status scan(std::string_view begin, std::string_view end, const Visitor& visit) const = 0;
  // The same from the largest key downwards.
  virtual Status scan_reverse(std::string_view begin, std::string_view end, const Visitor& visit) const = 0;

  // Much was deleted: gives its room on the disk back as far as that is worth the work, which may take a
  // while; `stop` is asked now and then. Thread-safe. What it says is the answer to one question: was the
  // work done, or was it not worth it, or did it fail? Nothing depends on it.
  enum class Reclaimed : std::uint8_t { kDone, kNotWorthIt, kStopped };
  virtual Reclaimed reclaim(const std::function<bool()>& stop) { return Reclaimed::kNotWorthIt; }
};

}  // namespace holdfast::store
