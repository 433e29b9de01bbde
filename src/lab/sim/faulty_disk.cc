#include "sim/faulty_disk.h"

#include "history/stored.h"
#include "store/keys.h"

namespace holdfast::sim {
namespace {

bool is_state(std::string_view key) {
  store::keys::ExecutionRow row;
  return store::keys::parse_execution(key, row) && row.state;
}

}  // namespace

Status FaultyDisk::commit(const store::WriteBatch& batch) {
  if (bug_ == PlantedBug::kDroppedTimer) {
    for (const auto& change : batch.changes()) written_in_this_life_.insert(change.key);
  }
  if (bug_ != PlantedBug::kTornBatch) return seen_.commit(batch);
  if (Status status = seen_.commit(batch); !status.ok()) return status;
  write_second_half();
  store::WriteBatch first_half;
  for (const auto& change : batch.changes()) {
    auto& half = store::keys::is_history_page(change.key) ? second_half_ : first_half;
    change.value ? half.put(change.key, *change.value) : half.erase(change.key);
  }
  world_.after(kMs, [this, torn = ++torn_] {
    if (torn == torn_) write_second_half();
  });
  return disk_.commit(first_half);
}

void FaultyDisk::write_second_half() {
  (void)disk_.commit(second_half_);  // memory: it cannot fail
  second_half_.clear();
}

void FaultyDisk::crash() {
  written_in_this_life_.clear();
  if (bug_ != PlantedBug::kTornBatch) return;
  ++torn_;
  second_half_.clear();
  seen_ = disk_;
}

Result<std::optional<std::string>> FaultyDisk::get(std::string_view key) const {
  auto row = seen_.get(key);
  if (bug_ != PlantedBug::kDroppedTimer || !row || !*row || !is_state(key) ||
      written_in_this_life_.contains(key)) {
    return row;
  }
  history::stored::ExecutionState state;
  if (!state.ParseFromString(**row)) return row;
  state.clear_timers();
  return std::optional(history::serialize(state));
}

Status FaultyDisk::scan(std::string_view begin, std::string_view end, const Visitor& visit) const {
  return seen_.scan(begin, end, visit);
}

Status FaultyDisk::scan_reverse(std::string_view begin, std::string_view end, const Visitor& visit) const {
  return seen_.scan_reverse(begin, end, visit);
}

}  // namespace holdfast::sim
