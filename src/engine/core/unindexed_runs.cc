#include "engine/unindexed_runs.h"

#include <optional>
#include <utility>

#include "history/stored.h"
#include "store/keys.h"

namespace holdfast::engine {

namespace keys = store::keys;
namespace enums = ::temporal::api::enums::v1;

void UnindexedRuns::begin(std::vector<Namespace> namespaces) {
  left_.assign(namespaces.begin(), namespaces.end());
  shard_ = 0;
  at_.clear();
}

Result<SweepSlice> UnindexedRuns::next() {
  SweepSlice slice;
  const Namespace& of = left_.front();
  for (std::size_t looks = 0; looks < kLooks && shard_ < keys::kShardCount; ++looks) {
    if (at_.empty()) at_ = keys::executions_begin(shard_, of.id);
    if (Status status = look_at(keys::executions_end(shard_, of.id), &slice); !status.ok())
      return fail(std::move(status));
    if (at_.empty()) ++shard_;
  }
  if (shard_ == keys::kShardCount) {
    slice.indexed_namespace = of.name;
    left_.pop_front();
    shard_ = 0;
  }
  return slice;
}

// At the first execution from `at_` on; the row of its state is its last.
Status UnindexedRuns::look_at(const std::string& end, SweepSlice* slice) {
  std::optional<keys::ExecutionRow> row;
  Status scanned = store_.scan(at_, end, [&row](std::string_view key, std::string_view) {
    return !keys::parse_execution(key, row.emplace());
  });
  at_.clear();
  if (!scanned.ok() || !row) return scanned;
  const std::string key = keys::execution_state(row->namespace_id, row->workflow_id, row->run_id);
  at_ = key + '\0';
  auto bytes = store_.get(key);
  if (!bytes) return bytes.error();
  history::stored::ExecutionState state;
  if (!*bytes || !state.ParseFromString(**bytes)) return {};
  if (state.status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING || state.close_ns() == 0) return {};
  slice->unindexed.push_back(
      {{std::move(row->namespace_id), std::move(row->workflow_id), std::move(row->run_id)},
       state.close_ns()});
  return {};
}

}  // namespace holdfast::engine
