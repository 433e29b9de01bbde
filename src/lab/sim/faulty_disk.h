#pragma once

// The disk under the simulated server: a MemoryStore, and around it what a planted bug of the store would do
// to it. Outlives every crashed engine. Single-threaded.

#include <cstdint>
#include <set>
#include <string>

#include "sim/memory_store.h"
#include "sim/planted_bug.h"
#include "sim/world.h"

namespace holdfast::sim {

class FaultyDisk final : public store::KvStore {
 public:
  FaultyDisk(World& world, PlantedBug bug) : world_(world), bug_(bug) {}

  Status commit(const store::WriteBatch& batch) override;
  Result<std::optional<std::string>> get(std::string_view key) const override;
  Status scan(std::string_view begin, std::string_view end, const Visitor& visit) const override;
  Status scan_reverse(std::string_view begin, std::string_view end, const Visitor& visit) const override;

  // The server died: what had only seemed to be written is gone.
  void crash();

 private:
  void write_second_half();

  World& world_;
  PlantedBug bug_;
  MemoryStore seen_;  // what the server reads
  MemoryStore disk_;  // what survives it; with kTornBatch alone it is behind
  store::WriteBatch second_half_;
  std::uint64_t torn_ = 0;
  std::set<std::string, std::less<>> written_in_this_life_;
};

}  // namespace holdfast::sim
