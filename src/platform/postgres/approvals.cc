// Approvals, and people's attempts to decide them, as rows.

#include "platform/calls.h"

#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

using rules::DecisionAnswer;
using rules::StoredDecision;

#define APPROVAL_COLUMNS                                                                          \
  "id, run, agent, tool, arguments, arguments_sha256, reason, requested_at, expires_at, status, " \
  "decided_by, decided_at, comment, edited_arguments"

#define APPROVAL_VALUES "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14"
#define READ_APPROVALS "SELECT " APPROVAL_COLUMNS " FROM approvals "

Approval approval_of(const Statement& row) {
  Approval out;
  row.read(out.id, out.run, out.agent, out.tool, out.arguments, out.arguments_sha256, out.reason,
           out.requested_at, out.expires_at, out.status, out.decided_by, out.decided_at, out.comment,
           out.edited_arguments);
  return out;
}

#define DECISION_COLUMNS \
  "update_id, approval, decision, arguments_sha256, edited_arguments, decided_by, comment, at"

#define READ_DECISIONS "SELECT " DECISION_COLUMNS ", answer FROM decisions "

DecisionAttempt attempt_of(const Statement& row) {
  DecisionAttempt out;
  row.read(out.update_id, out.approval, out.decision, out.arguments_sha256, out.edited_arguments,
           out.decided_by, out.comment, out.at);
  return out;
}

struct ApprovalRows {
  Connection& db;

  Result<std::optional<Approval>> find(std::string_view id) {
    Statement query(db, READ_APPROVALS "WHERE id = $1");
    return query.bind(id).one(approval_of);
  }
  Status insert(const Approval& row) {
    Statement insert(db, "INSERT INTO approvals (" APPROVAL_COLUMNS ") VALUES (" APPROVAL_VALUES ")");
    insert.bind(row.id, row.run, row.agent, row.tool, row.arguments, row.arguments_sha256, row.reason,
                row.requested_at, row.expires_at, row.status, row.decided_by, row.decided_at, row.comment,
                row.edited_arguments);
    return insert.run();
  }
  Status update(const Approval& row) {
    Statement update(
        db,
        "UPDATE approvals SET status = $2, decided_by = $3, decided_at = $4, comment = $5, edited_arguments "
        "= $6 WHERE id = $1");
    return update.bind(row.id, row.status, row.decided_by, row.decided_at, row.comment, row.edited_arguments)
        .run();
  }

  Result<std::optional<StoredDecision>> find_decision(std::string_view update_id) {
    Statement query(db, READ_DECISIONS "WHERE update_id = $1");
    return query.bind(update_id).one([](const Statement& row) {
      StoredDecision out;
      out.attempt = attempt_of(row);
      row.read_from(8, out.answer);
      return out;
    });
  }

  Status insert_attempt(const DecisionAttempt& attempt) {
    Statement insert(db, "INSERT INTO decisions (" DECISION_COLUMNS
                         ", answer, why) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '')");
    insert.bind(attempt.update_id, attempt.approval, attempt.decision, attempt.arguments_sha256,
                attempt.edited_arguments, attempt.decided_by, attempt.comment, attempt.at,
                DecisionAnswer::kNone);
    return insert.run();
  }
  Status answer_decision(std::string_view update_id, DecisionAnswer answer, std::string_view why) {
    Statement update(db, "UPDATE decisions SET answer = $2, why = $3 WHERE update_id = $1");
    return update.bind(update_id, answer, why).run();
  }
  Status insert_audit(const AuditRow& row) { return platform::insert_audit(db, row); }
};

}  // namespace

Result<Approval> PostgresStore::request_approval(const Approval& wanted) {
  if (Status status = rules::check_approval(wanted); !status.ok()) return fail(status);
  return write<Approval>(
      [&](Connection& db) { return calls::request_approval(ApprovalRows{db}, wanted, clock_.now()); });
}

Result<Approval> PostgresStore::approval(std::string_view id) {
  return reading<Approval>(
      [&](Connection& db) { return calls::need(ApprovalRows{db}.find(id), "approval", id); });
}

Result<std::vector<Approval>> PostgresStore::approvals(const ApprovalFilter& filter) {
  return reading<std::vector<Approval>>([&](Connection& db) -> Result<std::vector<Approval>> {
    Result<std::int64_t> before =
        page_before(db, "SELECT n FROM approvals WHERE id = $1", filter.after, "approval");
    if (!before) return fail(before.error());
    // Three statements, so that each finds its index.
    postgres::Literal sql =
        READ_APPROVALS "WHERE n < $1 AND ($2::bigint IS NULL OR status = $2) ORDER BY n DESC LIMIT $3";
    if (!filter.run.empty()) {
      sql = READ_APPROVALS
          "WHERE n < $1 AND ($2::bigint IS NULL OR status = $2) AND run = $4 ORDER BY n DESC LIMIT $3";
    } else if (filter.status) {
      sql = READ_APPROVALS "WHERE n < $1 AND status = $2 ORDER BY n DESC LIMIT $3";
    }
    Statement query(db, sql);
    query.bind(*before, filter.status, rules::page_size(filter.limit));
    if (!filter.run.empty()) query.bind(filter.run);
    return query.all(approval_of);
  });
}

Result<Approval> PostgresStore::begin_decision(const DecisionAttempt& attempt) {
  if (Status status = rules::check_attempt(attempt); !status.ok()) return fail(status);
  Status refused;
  Result<Approval> approval = write<Approval>([&](Connection& db) {
    return calls::begin_decision(ApprovalRows{db}, attempt, clock_.now(), refused);
  });
  if (approval && !refused.ok()) return fail(refused);
  return approval;
}

Result<std::vector<DecisionAttempt>> PostgresStore::unanswered_decisions(std::string_view after) {
  return reading<std::vector<DecisionAttempt>>([&](Connection& db) {
    Statement query(
        db, READ_DECISIONS
        "WHERE answer = 0 "
        "AND n > coalesce((SELECT n FROM decisions WHERE update_id = $1), 0) ORDER BY n LIMIT $2");
    return query.bind(after, kMaxPage).all(attempt_of);
  });
}

Result<Approval> PostgresStore::finish_decision(std::string_view update_id, bool won, std::string_view why) {
  return write<Approval>([&](Connection& db) {
    return calls::finish_decision(ApprovalRows{db}, update_id, won, why, clock_.now());
  });
}

Result<Approval> PostgresStore::settle_approval(const Approval& outcome) {
  if (Status status = rules::check_outcome(outcome); !status.ok()) return fail(status);
  return write<Approval>(
      [&](Connection& db) { return calls::settle_approval(ApprovalRows{db}, outcome, clock_.now()); });
}

}  // namespace holdfast::platform
