#include "sim/memory_store.h"

namespace holdfast::sim {

Status MemoryStore::commit(const store::WriteBatch& batch) {
  for (const auto& change : batch.changes()) {
    if (change.value) {
      rows_.insert_or_assign(change.key, *change.value);
    } else {
      rows_.erase(change.key);
    }
  }
  return {};
}

Result<std::optional<std::string>> MemoryStore::get(std::string_view key) const {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return std::optional<std::string>();
  return std::optional<std::string>(found->second);
}

Status MemoryStore::scan(std::string_view begin, std::string_view end, const Visitor& visit) const {
  for (auto row = rows_.lower_bound(begin); row != rows_.end() && (end.empty() || row->first < end); ++row) {
    if (!visit(row->first, row->second)) break;
  }
  return {};
}

Status MemoryStore::scan_reverse(std::string_view begin, std::string_view end, const Visitor& visit) const {
  auto row = end.empty() ? rows_.end() : rows_.lower_bound(end);
  while (row != rows_.begin()) {
    --row;
    if (row->first < begin || !visit(row->first, row->second)) break;
  }
  return {};
}

}  // namespace holdfast::sim
