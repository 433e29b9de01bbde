#pragma once

// Forks within one transaction, for every database (see calls.h, also for what `Rows` is).

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "platform/calls.h"
#include "platform/conversation_calls.h"

namespace holdfast::platform::calls {

// A branch behind `at`, still empty. One row, however much is before it. As resolve(), and
// last_branch(conversation), insert(conversation, branch)
template <typename Rows>
Result<Reference> open_branch(Rows rows, const Reference& at) {
  Result<Place> place = resolve(rows, at);
  if (!place) return fail(place.error());
  if (!place->branch) {
    return fail(Code::kFailedPrecondition,
                fmt::format("nothing was said in conversation {}: there is nothing to branch off from",
                            at.conversation));
  }
  // Off the branch that has the message: an empty branch does not make the way to it longer.
  Result<std::vector<rules::Branch>> lineage = lineage_of(rows, at.conversation, *place->branch, at.sequence);
  if (!lineage) return fail(lineage.error());
  Result<std::uint32_t> last = rows.last_branch(at.conversation);
  if (!last) return fail(last.error());
  rules::Branch branch;
  branch.number = *last + 1;
  branch.parent = lineage->back().number;
  branch.fork = at.sequence;
  branch.head = at.sequence;
  branch.head_sha256 = at.sha256;
  if (Status status = rows.insert(at.conversation, branch); !status.ok()) return fail(std::move(status));
  return rules::head_of(at.conversation, branch);
}

inline Status check_fork(const StepWrite& step) {
  if (!step.expected) return {Code::kInvalidArgument, "a fork must say after which reference it goes on"};
  return rules::check_step(step);
}

// find(key), open_branch(at), append(expected, messages, at), ledger(), insert(record), insert_audit(row)
template <typename Rows>
Result<StepRecord> commit_fork(Rows rows, const StepWrite& step, WallTime now) {
  Result<std::optional<StepRecord>> stored = rows.find(step.key);
  if (!stored) return fail(stored.error());
  rules::Change<StepRecord> change = rules::commit_step(step, *stored, now);
  if (change.write == rules::Write::kNothing) return std::move(change.row);

  StepRecord& record = change.row;
  Result<Reference> branch = rows.open_branch(*step.expected);
  if (!branch) return fail(branch.error());
  Appended& appended = record.appended.emplace();
  appended.head = *std::move(branch);
  if (!step.messages.empty()) {
    Result<Appended> added = rows.append(appended.head, step.messages, record.at);
    if (!added) return fail(added.error());
    appended.head = std::move(added->head);
  }
  appended.branch_opened = true;
  auto ledger = rows.ledger();
  Status booked = step.account ? open_account(ledger, *step.account, record.at) : Status();
  for (const Usage& usage : step.usage) {
    if (booked.ok()) booked = book(ledger, usage, record.at);
  }
  if (booked.ok()) booked = record_said(rows, step, record.at);
  if (!booked.ok()) return fail(std::move(booked));
  if (Status status = rows.insert(record); !status.ok()) return fail(std::move(status));
  return std::move(record);
}

}  // namespace holdfast::platform::calls
