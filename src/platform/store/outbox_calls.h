#pragma once

// Steps and settlements with what they tell, within one transaction (platform/outbox.h); see calls.h for what
// `Rows` is: here it has tell(row), too.

#include <utility>
#include <vector>

#include "platform/calls.h"
#include "platform/outbox.h"

namespace holdfast::platform::calls {

inline Status check_steps(const StepWrite& step, const std::vector<StepWrite>& with) {
  Status status = rules::check_step(step);
  for (const StepWrite& one : with) {
    if (status.ok()) status = rules::check_step(one);
  }
  return status;
}

template <typename Rows>
Result<StepRecord> commit_step(Rows rows, const StepWrite& step, const std::vector<StepWrite>& with,
                               const OutboxRow& row, WallTime now) {
  Result<StepRecord> record = commit_step(rows, step, now);
  if (!record || record->replayed) return record;
  for (const StepWrite& one : with) {
    if (auto kept = commit_step(rows, one, now); !kept) return kept;
  }
  if (row.n == 0) return record;
  if (Status status = rows.tell(row); !status.ok()) return fail(std::move(status));
  return record;
}

template <typename Rows>
Result<std::pair<EffectRecord, bool>> settle_effect(Rows rows, std::string_view key, bool succeeded,
                                                    std::string_view result, const OutboxRow& row,
                                                    WallTime now) {
  Result<std::optional<EffectRecord>> stored = rows.find(key);
  if (!stored) return fail(stored.error());
  Result<rules::Change<EffectRecord>> change = rules::settle_effect(key, *stored, succeeded, result, now);
  if (!change) return fail(change.error());
  const bool stands = change->write != rules::Write::kNothing;
  Result<EffectRecord> record = keep(rows, *std::move(change));
  if (!record) return fail(record.error());
  if (stands && row.n != 0) {
    if (Status status = rows.tell(row); !status.ok()) return fail(std::move(status));
  }
  return std::pair(*std::move(record), stands);
}

template <typename Rows>
Result<Approval> settle_approval(Rows rows, const Approval& outcome, const OutboxRow& row, WallTime now) {
  Result<Approval> settled = settle_approval(rows, outcome, now);
  if (!settled || row.n == 0) return settled;
  if (Status status = rows.tell(row); !status.ok()) return fail(std::move(status));
  return settled;
}

}  // namespace holdfast::platform::calls
