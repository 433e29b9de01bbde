#pragma once

// A KvStore that lives as long as the simulated disk: it outlives every crashed engine and holds exactly what
// was committed. Single-threaded.

#include <map>
#include <string>

#include "store/kv_store.h"

namespace holdfast::sim {

class MemoryStore final : public store::KvStore {
 public:
  Status commit(const store::WriteBatch& batch) override;
  Result<std::optional<std::string>> get(std::string_view key) const override;
  Status scan(std::string_view begin, std::string_view end, const Visitor& visit) const override;
  Status scan_reverse(std::string_view begin, std::string_view end, const Visitor& visit) const override;

 private:
  std::map<std::string, std::string, std::less<>> rows_;
};

}  // namespace holdfast::sim
