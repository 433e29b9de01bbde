#pragma once

// Rows: the store as the core sees it, which runs ahead of the disk. Reads see what was written before them,
// whether it waits for the next batch, is being committed, or is in the store. The core owns it; its thread
// only. What the store cannot read is the failure of who asked: DATA_LOSS.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "store/kv_store.h"

namespace holdfast::engine {

using RowChanges = std::map<std::string, std::optional<std::string>>;  // no value: erased

class Rows {
 public:
  explicit Rows(const store::KvStore& store) : store_(store) {}

  Result<std::optional<std::string>> get(const std::string& key) const;
  // What is in the store alone: for rows that nobody changes before they are there.
  Status scan_stored(const std::string& begin, const std::string& end,
                     const store::KvStore::Visitor& visit) const {
    return store_.scan(begin, end, visit);
  }
  void put(std::string key, std::string value) { changes_[std::move(key)] = std::move(value); }
  void erase(std::string key) { changes_[std::move(key)] = std::nullopt; }

  bool changed() const { return !changes_.empty(); }
  // What waits becomes the beginning of a batch; send() with the rest of it.
  RowChanges take() { return std::exchange(changes_, {}); }
  void send(std::uint64_t sequence, RowChanges batch);
  // What batches up to here changed is in the store.
  void committed(std::uint64_t sequence);

 private:
  const store::KvStore& store_;
  RowChanges changes_;
  std::deque<std::pair<std::uint64_t, RowChanges>> in_flight_;
};

}  // namespace holdfast::engine
