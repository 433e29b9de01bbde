#include "engine/deletions.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/batches.h"
#include "engine/core_clock.h"
#include "engine/large_rows.h"
#include "engine/namespaces.h"
#include "engine/replies.h"
#include "engine/rows.h"
#include "engine/run_cache.h"
#include "engine/transitions.h"
#include "store/keys.h"

namespace holdfast::engine {

namespace keys = store::keys;

void Deletions::erase(Call& call, const ws::DeleteWorkflowExecutionRequest&, const stored::NamespaceRecord&,
                      Run& run) {
  const auto& [ns, workflow, run_id] = run.key;
  if (run.ms->running()) transitions_.terminate(run, "Delete workflow execution", nullptr, "history-service");
  rows_.put(keys::expiry(0, ns, workflow, run_id), "");
  asked_ = true;
  if (may_go(run)) forget(run);
  replies_.send(call, std::make_unique<ws::DeleteWorkflowExecutionResponse>());
}

bool Deletions::may_go(const Run& run) const {
  // A closed run keeps its row in the wake index for as long as it owes something.
  return !run.ms->running() && !run.dirty && !run.waited_for() && !run.early_out &&
         run.ms->s().wake_row_ns() < 0;
}

// The retention may have grown since the look.
bool Deletions::is_over(const SweepSlice::Expired& expired) const {
  if (expired.moment_ns == 0) return true;
  const auto* record = namespaces_.find_by_id(expired.key.namespace_id);
  return record != nullptr && record->retention_chosen() &&
         expired.moment_ns <= clock_.now() - record->retention_ns();
}

// All but its history, for which the caller keeps a row of the table of expiries.
void Deletions::forget(Run& run) {
  const auto& [ns, workflow, run_id] = run.key;
  rows_.erase(keys::execution_state(ns, workflow, run_id));
  rows_.erase(keys::expiry(run.ms->s().close_ns(), ns, workflow, run_id));
  if (const auto current = cache_.current(ns, workflow);
      current && *current && (*current)->run_id() == run_id) {
    cache_.drop_current(ns, workflow);
  }
  batches_.feed_deletion(run.key);
  gone_.push_back({namespaces_.name_of(ns), run.key});
  cache_.remove(run);
}

void Deletions::sweep(SweepSlice slice) {
  swept_ = true;
  for (const SweepSlice::Closed& closed : slice.unindexed) {
    const auto& [ns, workflow, run_id] = closed.key;
    rows_.put(keys::expiry(closed.close_ns, ns, workflow, run_id), "");
  }
  if (const auto* record = namespaces_.find(slice.indexed_namespace)) {
    Namespaces::Record indexed = *record;
    indexed.set_closed_runs_indexed(true);
    namespaces_.update(std::move(indexed));
  }
  for (SweepSlice::Expired& expired : slice.expired) sweep_run(std::move(expired));
}

namespace {

std::int64_t parts_among(const std::vector<std::string>& rows) {
  keys::PartName part;
  return std::ranges::count_if(rows, [&](const auto& key) { return keys::parse_state_part(key, part); });
}

}  // namespace

void Deletions::sweep_run(SweepSlice::Expired expired) {
  const auto& [ns, workflow, run_id] = expired.key;
  const auto run = cache_.load(expired.key);
  if (!run) return;  // damaged: kept as it is, for whoever can mend it
  if (*run != nullptr) {
    if (!is_over(expired) || !may_go(**run)) return;
    // It was written since the look: the next one finds what this one has not.
    if ((*run)->ms->part_rows() != parts_among(expired.pages)) expired.all_pages = false;
    forget(**run);
  }
  // Whatever the state said about its close: this row has led here.
  rows_.erase(keys::expiry(expired.moment_ns, ns, workflow, run_id));
  if (expired.all_pages) {
    rows_.erase(keys::expiry(0, ns, workflow, run_id));
  } else {
    rows_.put(keys::expiry(0, ns, workflow, run_id), "");
  }
  batches_.erase_pages(std::move(expired.pages));
  large_.release(expired.key, expired.large);
}

void Deletions::take(Output& output) {
  output.deletion_asked = std::exchange(asked_, false);
  output.swept = std::exchange(swept_, false);
  output.deleted = std::exchange(gone_, {});
}

}  // namespace holdfast::engine
