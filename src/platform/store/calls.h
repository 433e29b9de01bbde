#pragma once

// What a store does within one transaction to answer a call: rows are read, a rule is asked (rules.h), and
// what it says is written. The same for every database; what differs is `Rows`, a database's own few lines of
// SQL over an open transaction. Each function names the members that it needs; those that find a row give
// Result<std::optional<Row>>, those that write one a Status. Failures are theirs and the rules'.

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "platform/approval_rules.h"
#include "platform/audit_rules.h"
#include "platform/budget_calls.h"
#include "platform/conversation_rules.h"
#include "platform/group_commit.h"
#include "platform/label_rules.h"
#include "platform/run_rules.h"
#include "platform/step_rules.h"

namespace holdfast::platform::calls {

// The row that has to be there: `what` is what the error calls it.
template <typename Row>
Result<Row> need(Result<std::optional<Row>> found, std::string_view what, std::string_view id) {
  if (!found) return fail(found.error());
  if (!*found) return fail(Code::kNotFound, fmt::format("there is no {} {}", what, id));
  return std::move(**found);
}

// insert(row), update(row)
template <typename Rows, typename Row>
Result<Row> keep(Rows& rows, rules::Change<Row> change) {
  Status status;
  if (change.write == rules::Write::kInsert) status = rows.insert(change.row);
  if (change.write == rules::Write::kUpdate) status = rows.update(change.row);
  if (!status.ok()) return fail(std::move(status));
  return std::move(change.row);
}

template <typename Rows, typename Row>
Result<Row> keep(Rows& rows, Result<rules::Change<Row>> change) {
  if (!change) return fail(change.error());
  return keep(rows, *std::move(change));
}

// ---- steps and effects

// insert_audit(row)
template <typename Rows>
Status record_said(Rows& rows, const StepWrite& step, WallTime now) {
  for (AuditRow row : step.said) {
    row.at = now;
    if (Status status = rows.insert_audit(row); !status.ok()) return status;
  }
  return {};
}

// find(key), append(expected, messages, at), ledger(): the rows of budget_calls.h, insert(record),
// insert_audit(row)
template <typename Rows>
Result<StepRecord> commit_step(Rows rows, const StepWrite& step, WallTime now) {
  Result<std::optional<StepRecord>> stored = rows.find(step.key);
  if (!stored) return fail(stored.error());
  rules::Change<StepRecord> change = rules::commit_step(step, *stored, now);
  if (change.write == rules::Write::kNothing) return std::move(change.row);

  StepRecord& record = change.row;
  if (!step.messages.empty()) {
    Result<Appended> appended = rows.append(*step.expected, step.messages, record.at);
    if (!appended) return fail(appended.error());
    if (step.at_head_only && appended->branch_opened)
      return fail(Code::kAborted, "somebody else has just said something in the conversation");
    record.appended = std::move(*appended);
  }
  auto ledger = rows.ledger();
  Status booked = step.account ? open_account(ledger, *step.account, record.at) : Status();
  for (const Usage& usage : step.usage) {
    if (booked.ok()) booked = book(ledger, usage, record.at);
  }
  if (booked.ok() && !step.settles.empty()) booked = settle(ledger, step.settles);
  if (booked.ok()) booked = record_said(rows, step, record.at);
  if (!booked.ok()) return fail(std::move(booked));
  if (Status status = rows.insert(record); !status.ok()) return fail(std::move(status));
  return std::move(record);
}

// find(key), insert(record), update(record), ledger()
template <typename Rows>
Result<EffectRecord> begin_effect(Rows rows, const EffectIntent& intent, WallTime now) {
  Result<std::optional<EffectRecord>> stored = rows.find(intent.key);
  if (!stored) return fail(stored.error());
  if (!*stored && intent.usage) {
    auto ledger = rows.ledger();
    if (Status status = book(ledger, *intent.usage, now); !status.ok()) return fail(std::move(status));
  }
  return keep(rows, rules::begin_effect(intent, *stored, now));
}

template <typename Rows>
Result<EffectRecord> settle_effect(Rows rows, std::string_view key, bool succeeded, std::string_view result,
                                   WallTime now) {
  Result<std::optional<EffectRecord>> stored = rows.find(key);
  if (!stored) return fail(stored.error());
  return keep(rows, rules::settle_effect(key, *stored, succeeded, result, now));
}

// ---- approvals and decisions

// find(id), insert(approval), update(approval)
template <typename Rows>
Result<Approval> request_approval(Rows rows, const Approval& wanted, WallTime now) {
  Result<std::optional<Approval>> stored = rows.find(wanted.id);
  if (!stored) return fail(stored.error());
  return keep(rows, rules::request_approval(wanted, *stored, now));
}

template <typename Rows>
Result<Approval> settle_approval(Rows rows, const Approval& outcome, WallTime now) {
  Result<Approval> stored = need(rows.find(outcome.id), "approval", outcome.id);
  if (!stored) return stored;
  return keep(rows, rules::settle_approval(*stored, outcome, now));
}

// find(id), find_decision(update id), insert_attempt(attempt), insert_audit(row). `refused`: the attempt is
// answered so, and what the transaction wrote stays.
template <typename Rows>
Result<Approval> begin_decision(Rows rows, const DecisionAttempt& attempt, WallTime now, Status& refused) {
  Result<Approval> stored = need(rows.find(attempt.approval), "approval", attempt.approval);
  if (!stored) return stored;
  Result<std::optional<rules::StoredDecision>> before = rows.find_decision(attempt.update_id);
  if (!before) return fail(before.error());
  Result<rules::Admission> admission = rules::admit_decision(attempt, *stored, *before, now);
  if (!admission) return fail(admission.error());
  Status status;
  if (admission->attempt) status = rows.insert_attempt(*admission->attempt);
  if (admission->audit) status = rows.insert_audit(*admission->audit);
  if (!status.ok()) return fail(std::move(status));
  refused = std::move(admission->refused);
  return stored;
}

// Of a decision that stands the run is about to write the same, and its next call waits for that.
inline Haste haste_of_finish(bool won, std::string_view why) {
  return won && why.empty() ? Haste::kWithOthers : Haste::kNow;
}

// find(id), find_decision(update id), answer_decision(update id, answer, why), insert_audit(row), update(row)
template <typename Rows>
Result<Approval> finish_decision(Rows rows, std::string_view update_id, bool won, std::string_view why,
                                 WallTime now) {
  Result<rules::StoredDecision> decision = need(rows.find_decision(update_id), "decision", update_id);
  if (!decision) return fail(decision.error());
  const std::string& id = decision->attempt.approval;
  Result<Approval> approval = need(rows.find(id), "approval", id);
  if (!approval) return approval;
  std::optional<rules::Finish> finish = rules::finish_decision(*decision, *approval, won, why, now);
  if (!finish) return approval;
  Status status = rows.answer_decision(update_id, finish->answer, why);
  if (status.ok()) status = rows.insert_audit(finish->audit);
  if (!status.ok()) return fail(std::move(status));
  return keep(rows, std::move(finish->approval));
}

// ---- runs

// find_by_key(idempotency key), find(run id), insert(row), insert_audit(row)
template <typename Rows>
Result<Started> start_run(Rows rows, const StartIntent& intent, Random& random, WallTime now) {
  Result<std::optional<rules::StoredRun>> of_key = rows.find_by_key(intent.idempotency_key);
  if (!of_key) return fail(of_key.error());
  Result<std::optional<rules::StoredRun>> of_run = rows.find(intent.run);
  if (!of_run) return fail(of_run.error());
  Result<rules::Change<rules::StoredRun>> change = rules::start_run(intent, *of_key, *of_run, random, now);
  if (!change) return fail(change.error());
  Started out;
  out.created = change->write == rules::Write::kInsert;
  if (out.created) {
    if (Status status = rows.insert(change->row); !status.ok()) return fail(std::move(status));
    rules::RunBegan began;
    began.run = change->row.run.run;
    began.agent = intent.agent;
    began.version = intent.definition_hash;
    began.by = intent.started_by;
    began.input_sha256 = sha256_hex(intent.input);
    began.conversation = intent.conversation;
    began.environment = intent.environment;
    AuditRow said = rules::audit_of_start(began);
    said.at = now;
    if (Status status = rows.insert_audit(said); !status.ok()) return fail(std::move(status));
  }
  out.run = std::move(change->row.run);
  return out;
}

// ---- labels

// find(label), find_move(label, move), has_version(hash), count_labels(), insert(label), insert_audit(row),
// all of the agent that is moved
template <typename Rows>
Result<MovedLabel> move_label(Rows rows, const LabelMove& wanted, WallTime now) {
  rules::LabelRows there;
  Result<std::optional<Label>> stored = rows.find(wanted.label);
  if (!stored) return fail(stored.error());
  there.label = std::move(*stored);
  if (wanted.how == LabelHow::kPromoted) {
    Result<std::optional<Label>> source = rows.find(wanted.source);
    if (!source) return fail(source.error());
    there.source = std::move(*source);
  }
  if (wanted.how == LabelHow::kRolledBack) {
    if (there.label && there.label->back != 0) {
      Result<std::optional<Label>> back = rows.find_move(wanted.label, there.label->back);
      if (!back) return fail(back.error());
      there.back = std::move(*back);
    }
  } else {
    Result<bool> version = rows.has_version(wanted.hash);
    if (!version) return fail(version.error());
    there.has_version = *version;
  }
  Result<std::size_t> labels = rows.count_labels();
  if (!labels) return fail(labels.error());
  there.labels = *labels;

  Result<rules::Change<Label>> change = rules::move_label(wanted, there, now);
  if (!change) return fail(change.error());
  MovedLabel out;
  out.moved = change->write == rules::Write::kInsert;
  out.label = std::move(change->row);
  if (!out.moved) return out;
  if (Status status = rows.insert(out.label); !status.ok()) return fail(std::move(status));
  if (Status status = rows.insert_audit(rules::audit_of(out.label)); !status.ok())
    return fail(std::move(status));
  return out;
}

}  // namespace holdfast::platform::calls
