// Approvals, people's attempts to decide them, and the links by which they may, as rows.

#include "platform/calls.h"
#include "platform/link_calls.h"
#include "platform/outbox_calls.h"

#include "platform_sqlite/approval_rows.h"
#include "platform_sqlite/outbox.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

using rules::DecisionAnswer;
using rules::StoredDecision;

#define APPROVAL_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14"
#define DECISION_COLUMNS \
  "update_id, approval, decision, arguments_sha256, edited_arguments, decided_by, comment, at"

#define SEALED_DECISION_COLUMNS DECISION_COLUMNS ", answer, why"
#define DECISION_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ''"
#define READ_DECISIONS                                                                    \
  "SELECT " DECISION_COLUMNS                                                              \
  ", answer, decision NOT IN (1, 2, 4, 5) OR answer NOT BETWEEN 0 AND 2 OR " ROW_DAMAGED( \
      "checksum", "decisions", SEALED_DECISION_COLUMNS) " FROM decisions "

DecisionAttempt attempt_of(const Statement& row) {
  DecisionAttempt out;
  row.read(out.update_id, out.approval, out.decision, out.arguments_sha256, out.edited_arguments,
           out.decided_by, out.comment, out.at);
  return out;
}

struct ApprovalRows {
  Database& db;
  Audience audience = {};  // of whoever requests

  Result<std::optional<Approval>> find(std::string_view id) {
    Statement query(db, READ_APPROVALS "WHERE id = ?1");
    return sound_one(query.bind(id), "approvals", approval_of);
  }
  Status insert(const Approval& row) {
    Statement insert(db, "INSERT INTO approvals (" APPROVAL_COLUMNS ", checksum) VALUES (" APPROVAL_VALUES
                         ", " ROW_SUM("approvals", APPROVAL_VALUES) ")");
    insert.bind(row.id, row.run, row.agent, row.tool, row.arguments, row.arguments_sha256, row.reason,
                row.requested_at, row.expires_at, row.status, row.decided_by, row.decided_at, row.comment,
                row.edited_arguments);
    Status status = insert.run();
    if (status.ok()) status = insert_asked(row);
    return status.ok() && !row.question.empty() ? insert_question(row) : status;
  }
  Status insert_asked(const Approval& row) {
    for (const rules::AskedRow& asked : rules::asked_rows(audience, row.requested_at)) {
      Statement insert(db, "INSERT INTO asked (word, n, since, but, checksum) SELECT ?2, n, ?3, ?4, " ROW_SUM(
                               "asked", "?2, n, ?3, ?4") " FROM approvals WHERE id = ?1");
      if (Status status = insert.bind(row.id, asked.word, asked.since, audience.but).run(); !status.ok())
        return status;
    }
    return {};
  }
  // Nobody is asked any more.
  Status forget_asked(const Approval& row) {
    Statement forget(db, "DELETE FROM asked WHERE n = (SELECT n FROM approvals WHERE id = ?1)");
    return forget.bind(row.id).run();
  }
  Status insert_question(const Approval& row) {
    Statement insert(db, "INSERT INTO questions (approval, question, checksum) VALUES (?1, ?2, " ROW_SUM(
                             "questions", "?1, ?2") ")");
    return insert.bind(row.id, row.question).run();
  }
  Status update(const Approval& row) {
    Statement update(
        db,
        "UPDATE approvals SET status = ?2, decided_by = ?3, decided_at = ?4, comment = ?5, edited_arguments "
        "= ?6, checksum = " ROW_SUM("approvals",
                                    "id, run, agent, tool, arguments, arguments_sha256, reason, "
                                    "requested_at, expires_at, ?2, ?3, ?4, ?5, ?6") " WHERE id = ?1");
    update.bind(row.id, row.status, row.decided_by, row.decided_at, row.comment, row.edited_arguments);
    Status status = update.run();
    return status.ok() && row.status != ApprovalStatus::kPending ? forget_asked(row) : status;
  }

  Result<std::optional<StoredDecision>> find_decision(std::string_view update_id) {
    Statement query(db, READ_DECISIONS "WHERE update_id = ?1");
    return sound_one(query.bind(update_id), "decisions", [](const Statement& row) {
      StoredDecision out;
      out.attempt = attempt_of(row);
      row.read_from(8, out.answer);
      return out;
    });
  }

  Status insert_attempt(const DecisionAttempt& attempt) {
    Statement insert(db, "INSERT INTO decisions (" DECISION_COLUMNS
                         ", answer, why, checksum) VALUES (" DECISION_VALUES
                         ", " ROW_SUM("decisions", DECISION_VALUES) ")");
    insert.bind(attempt.update_id, attempt.approval, attempt.decision, attempt.arguments_sha256,
                attempt.edited_arguments, attempt.decided_by, attempt.comment, attempt.at,
                DecisionAnswer::kNone);
    return insert.run();
  }
  Status answer_decision(std::string_view update_id, DecisionAnswer answer, std::string_view why) {
    Statement update(db, "UPDATE decisions SET answer = ?2, why = ?3, checksum = " ROW_SUM(
                             "decisions", DECISION_COLUMNS ", ?2, ?3") " WHERE update_id = ?1");
    return update.bind(update_id, answer, why).run();
  }
  Status tell(const OutboxRow& row) { return insert_outbox(db, row); }
  Status insert_audit(const AuditRow& row) { return platform::insert_audit(db, row); }
};

}  // namespace

Result<Approval> SqliteStore::request_approval(const Approval& wanted) {
  return request_approval(wanted, {});
}

Result<Approval> SqliteStore::request_approval(const Approval& wanted, const Audience& audience) {
  if (Status status = rules::check_approval(wanted); !status.ok()) return fail(status);
  return write<Approval>([&](Database& db) {
    return calls::request_approval(ApprovalRows{db, audience}, wanted, clock_.now());
  });
}

Result<Approval> SqliteStore::approval(std::string_view id) {
  return reading<Approval>(
      [&](Database& db) { return calls::need(ApprovalRows{db}.find(id), "approval", id); });
}

Result<std::vector<Approval>> SqliteStore::approvals(const ApprovalFilter& filter) {
  return reading<std::vector<Approval>>([&](Database& db) -> Result<std::vector<Approval>> {
    Result<std::int64_t> before = page_before(db, kPlaceOfApproval, filter.after, "approval");
    if (!before) return fail(before.error());
    // Three statements, so that each finds its index.
    sqlite::Literal sql = READ_APPROVALS "WHERE n < ?1 AND (?2 IS NULL OR status = ?2) ORDER BY n DESC";
    if (!filter.run.empty()) {
      sql = READ_APPROVALS "WHERE n < ?1 AND (?2 IS NULL OR status = ?2) AND run = ?3 ORDER BY n DESC";
    } else if (filter.status) {
      sql = READ_APPROVALS "WHERE n < ?1 AND status = ?2 ORDER BY n DESC";
    }
    Statement query(db, sql);
    query.bind(*before, filter.status);
    if (!filter.run.empty()) query.bind(filter.run);
    return sound_all(query, "approvals", damage_, rules::page_size(filter.limit), approval_of);
  });
}

Result<Approval> SqliteStore::begin_decision(const DecisionAttempt& attempt) {
  if (Status status = rules::check_attempt(attempt); !status.ok()) return fail(status);
  Status refused;
  Result<Approval> approval = write<Approval>(
      [&](Database& db) { return calls::begin_decision(ApprovalRows{db}, attempt, clock_.now(), refused); });
  if (approval && !refused.ok()) return fail(refused);
  return approval;
}

Result<std::vector<DecisionAttempt>> SqliteStore::unanswered_decisions(std::string_view after) {
  return reading<std::vector<DecisionAttempt>>([&](Database& db) {
    Statement query(db, READ_DECISIONS
                    "WHERE answer = 0 "
                    "AND n > coalesce((SELECT n FROM decisions WHERE update_id = ?1), 0) ORDER BY n");
    return sound_all(query.bind(after), "decisions", damage_, kMaxPage, attempt_of);
  });
}

Result<Approval> SqliteStore::finish_decision(std::string_view update_id, bool won, std::string_view why) {
  return write<Approval>(
      [&](Database& db) {
        return calls::finish_decision(ApprovalRows{db}, update_id, won, why, clock_.now());
      },
      calls::haste_of_finish(won, why));
}

Result<Approval> SqliteStore::settle_approval(const Approval& outcome) {
  if (Status status = rules::check_outcome(outcome); !status.ok()) return fail(status);
  return write<Approval>(
      [&](Database& db) { return calls::settle_approval(ApprovalRows{db}, outcome, clock_.now()); });
}

Result<Approval> SqliteStore::settle_approval(const Approval& outcome, const OutboxRow& row) {
  if (Status status = rules::check_outcome(outcome); !status.ok()) return fail(status);
  return write<Approval>(
      [&](Database& db) { return platform::settle_approval(db, outcome, row, clock_.now()); });
}

Result<Approval> settle_approval(Database& db, const Approval& outcome, const OutboxRow& row, WallTime now) {
  return calls::settle_approval(ApprovalRows{db}, outcome, row, now);
}

// ---- links

namespace {

#define LINK_COLUMNS "id, approval, recipient, created_by, created_at, expires_at, used_at, revoked_at"
#define LINK_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8"
#define READ_LINKS \
  "SELECT " LINK_COLUMNS ", " ROW_DAMAGED("checksum", "decision_links", LINK_COLUMNS) " FROM " \
                                                                                      "decision_links "

DecisionLink link_of(const Statement& row) {
  DecisionLink out;
  row.read(out.id, out.approval, out.recipient, out.created_by, out.created_at, out.expires_at, out.used_at,
           out.revoked_at);
  return out;
}

struct LinkRows {
  Database& db;

  Result<std::optional<DecisionLink>> find(std::string_view id) {
    Statement query(db, READ_LINKS "WHERE id = ?1");
    return sound_one(query.bind(id), "decision_links", link_of);
  }
  Result<std::int64_t> count(std::string_view approval) {
    Statement query(db, "SELECT count(*) FROM decision_links WHERE approval = ?1");
    auto found = query.bind(approval).one([](const Statement& row) { return row.integer(0); });
    if (!found) return fail(found.error());
    return found->value_or(0);
  }
  Status insert(const DecisionLink& row) { return update(row); }
  Status update(const DecisionLink& row) {
    Statement insert(db, "INSERT OR REPLACE INTO decision_links (" LINK_COLUMNS
                         ", checksum) VALUES (" LINK_VALUES ", " ROW_SUM("decision_links", LINK_VALUES) ")");
    return insert
        .bind(row.id, row.approval, row.recipient, row.created_by, row.created_at, row.expires_at,
              row.used_at, row.revoked_at)
        .run();
  }
  Status insert_audit(const AuditRow& row) { return platform::insert_audit(db, row); }
};

}  // namespace

Result<DecisionLink> SqliteStore::make_link(const DecisionLink& wanted) {
  if (Status status = rules::check_link(wanted); !status.ok()) return fail(status);
  return write<DecisionLink>(
      [&](Database& db) { return calls::make_link(LinkRows{db}, ApprovalRows{db}, wanted, clock_.now()); });
}

Result<std::optional<DecisionLink>> SqliteStore::link(std::string_view id) {
  return reading<std::optional<DecisionLink>>([&](Database& db) { return LinkRows{db}.find(id); });
}

Result<std::vector<DecisionLink>> SqliteStore::links(std::string_view approval) {
  return reading<std::vector<DecisionLink>>([&](Database& db) {
    Statement query(db, READ_LINKS "WHERE approval = ?1 ORDER BY created_at, id");
    query.bind(approval);
    return sound_all(query, "decision_links", damage_, kMaxLinksOfApproval, link_of);
  });
}

Result<DecisionLink> SqliteStore::revoke_link(std::string_view id, std::string_view by) {
  return write<DecisionLink>(
      [&](Database& db) { return calls::revoke_link(LinkRows{db}, id, by, clock_.now()); });
}

Result<Approval> SqliteStore::begin_linked_decision(std::string_view link, const DecisionAttempt& attempt) {
  if (Status status = rules::check_attempt(attempt); !status.ok()) return fail(status);
  Status refused;
  Result<Approval> approval = write<Approval>([&](Database& db) {
    return calls::begin_linked_decision(LinkRows{db}, ApprovalRows{db}, link, attempt, clock_.now(), refused);
  });
  if (approval && !refused.ok()) return fail(refused);
  return approval;
}

}  // namespace holdfast::platform
