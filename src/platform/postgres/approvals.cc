// Approvals, people's attempts to decide them, and the links by which they may, as rows.

#include "platform/calls.h"
#include "platform/link_calls.h"
#include "platform/outbox_calls.h"

#include "platform_postgres/outbox.h"
#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

using rules::DecisionAnswer;
using rules::StoredDecision;

#define APPROVAL_COLUMNS                                                                          \
  "id, run, agent, tool, arguments, arguments_sha256, reason, requested_at, expires_at, status, " \
  "decided_by, decided_at, comment, edited_arguments"

#define APPROVAL_VALUES "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14"
// With what a person is asked, where it is no call.
#define READ_APPROVALS       \
  "SELECT " APPROVAL_COLUMNS \
  ", coalesce((SELECT question FROM questions WHERE approval = approvals.id), '') FROM approvals "

Approval approval_of(const Statement& row) {
  Approval out;
  row.read(out.id, out.run, out.agent, out.tool, out.arguments, out.arguments_sha256, out.reason,
           out.requested_at, out.expires_at, out.status, out.decided_by, out.decided_at, out.comment,
           out.edited_arguments, out.question);
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
  Audience audience = {};  // of whoever requests

  Result<std::optional<Approval>> find(std::string_view id) {
    Statement query(db, READ_APPROVALS "WHERE id = $1");
    return query.bind(id).one(approval_of);
  }
  Status insert(const Approval& row) {
    Statement insert(db, "INSERT INTO approvals (" APPROVAL_COLUMNS ") VALUES (" APPROVAL_VALUES ")");
    insert.bind(row.id, row.run, row.agent, row.tool, row.arguments, row.arguments_sha256, row.reason,
                row.requested_at, row.expires_at, row.status, row.decided_by, row.decided_at, row.comment,
                row.edited_arguments);
    Status status = insert.run();
    if (status.ok()) status = insert_asked(row);
    return status.ok() && !row.question.empty() ? insert_question(row) : status;
  }
  Status insert_asked(const Approval& row) {
    for (const rules::AskedRow& asked : rules::asked_rows(audience, row.requested_at)) {
      Statement insert(db,
                       "INSERT INTO asked (word, n, since, but) SELECT $2::bytea, n, $3::bigint, $4::bytea "
                       "FROM approvals WHERE id = $1");
      if (Status status = insert.bind(row.id, asked.word, asked.since, audience.but).run(); !status.ok())
        return status;
    }
    return {};
  }
  // Nobody is asked any more.
  Status forget_asked(const Approval& row) {
    Statement forget(db, "DELETE FROM asked WHERE n = (SELECT n FROM approvals WHERE id = $1)");
    return forget.bind(row.id).run();
  }
  Status insert_question(const Approval& row) {
    Statement insert(db, "INSERT INTO questions (approval, question) VALUES ($1, $2)");
    return insert.bind(row.id, row.question).run();
  }
  Status update(const Approval& row) {
    Statement update(
        db,
        "UPDATE approvals SET status = $2, decided_by = $3, decided_at = $4, comment = $5, edited_arguments "
        "= $6 WHERE id = $1");
    update.bind(row.id, row.status, row.decided_by, row.decided_at, row.comment, row.edited_arguments);
    Status status = update.run();
    return status.ok() && row.status != ApprovalStatus::kPending ? forget_asked(row) : status;
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
  Status tell(const OutboxRow& row) { return insert_outbox(db, row); }
  Status insert_audit(const AuditRow& row) { return platform::insert_audit(db, row); }
};

}  // namespace

Result<Approval> PostgresStore::request_approval(const Approval& wanted) {
  return request_approval(wanted, {});
}

Result<Approval> PostgresStore::request_approval(const Approval& wanted, const Audience& audience) {
  if (Status status = rules::check_approval(wanted); !status.ok()) return fail(status);
  return write<Approval>([&](Connection& db) {
    return calls::request_approval(ApprovalRows{db, audience}, wanted, clock_.now());
  });
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

Result<std::vector<std::string>> PostgresStore::asking_agents(std::string_view after) {
  return reading<std::vector<std::string>>([&](Connection& db) {
    // From each name to the next one: as many steps as there are agents.
    Statement query(
        db,
        "WITH RECURSIVE asking(agent) AS ((SELECT agent FROM approvals WHERE status = 0 AND agent > $1 "
        "ORDER BY agent LIMIT 1) UNION ALL SELECT (SELECT b.agent FROM approvals b WHERE b.status = 0 AND "
        "b.agent > asking.agent ORDER BY b.agent LIMIT 1) FROM asking WHERE asking.agent IS NOT NULL) "
        "SELECT agent FROM asking WHERE agent IS NOT NULL LIMIT $2");
    return query.bind(after, kMaxPage).all([](const Statement& row) { return row.text(0); });
  });
}

Result<std::vector<Approval>> PostgresStore::asked_by(const std::vector<std::string>& agents,
                                                      std::string_view after, std::uint32_t limit) {
  postgres::Array names(postgres::Array::Of::kBytes);
  for (const std::string& agent : agents) names.add(agent);
  return reading<std::vector<Approval>>([&](Connection& db) -> Result<std::vector<Approval>> {
    const auto before = page_before(db, "SELECT n FROM approvals WHERE id = $1", after, "approval");
    if (!before) return fail(before.error());
    // Compared as a row, and in the order of approvals_by_agent: else all that waits is gone through by its
    // number, as that has the order, too.
    Statement query(db, READ_APPROVALS
                    "WHERE n IN (SELECT line.n FROM unnest($1::bytea[]) AS named(agent), "
                    "LATERAL (SELECT a.n FROM approvals a "
                    "WHERE (a.status, a.agent, a.n) >= (0, named.agent, 0) "
                    "AND (a.status, a.agent, a.n) < (0, named.agent, $2) "
                    "ORDER BY a.status DESC, a.agent DESC, a.n DESC LIMIT $3) AS line "
                    "ORDER BY line.n DESC LIMIT $3) ORDER BY n DESC");
    return query.bind(names, *before, rules::page_size(limit)).all(approval_of);
  });
}

Result<std::vector<Approval>> PostgresStore::asked_of(const Decider& who, std::string_view after,
                                                      std::uint32_t limit) {
  postgres::Array words(postgres::Array::Of::kBytes);
  words.add("");
  for (const std::string& word : who.words) words.add(word);
  return reading<std::vector<Approval>>([&](Connection& db) -> Result<std::vector<Approval>> {
    const auto before = page_before(db, "SELECT n FROM approvals WHERE id = $1", after, "approval");
    if (!before) return fail(before.error());
    // Each word by itself, from its newest on, in the order of the key.
    Statement query(
        db, READ_APPROVALS
        "WHERE status = 0 AND n IN (SELECT DISTINCT line.n FROM unnest($1::bytea[]) AS named(word), "
        "LATERAL (SELECT a.n FROM asked a "
        "WHERE (a.word, a.n) >= (named.word, 0) AND (a.word, a.n) < (named.word, $2) "
        "AND a.since <= $3 AND (a.but = '' OR a.but <> $4) "
        "ORDER BY a.word DESC, a.n DESC LIMIT $5) AS line "
        "ORDER BY line.n DESC LIMIT $5) ORDER BY n DESC");
    return query.bind(words, *before, who.now, who.name, rules::page_size(limit)).all(approval_of);
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
  return write<Approval>(
      [&](Connection& db) {
        return calls::finish_decision(ApprovalRows{db}, update_id, won, why, clock_.now());
      },
      calls::haste_of_finish(won, why));
}

Result<Approval> PostgresStore::settle_approval(const Approval& outcome) {
  if (Status status = rules::check_outcome(outcome); !status.ok()) return fail(status);
  return write<Approval>(
      [&](Connection& db) { return calls::settle_approval(ApprovalRows{db}, outcome, clock_.now()); });
}

Result<Approval> PostgresStore::settle_approval(const Approval& outcome, const OutboxRow& row) {
  if (Status status = rules::check_outcome(outcome); !status.ok()) return fail(status);
  return write<Approval>(
      [&](Connection& db) { return platform::settle_approval(db, outcome, row, clock_.now()); });
}

Result<Approval> settle_approval(Connection& db, const Approval& outcome, const OutboxRow& row,
                                 WallTime now) {
  return calls::settle_approval(ApprovalRows{db}, outcome, row, now);
}

// ---- links

namespace {

#define LINK_COLUMNS "id, approval, recipient, created_by, created_at, expires_at, used_at, revoked_at"
#define LINK_VALUES "$1, $2, $3, $4, $5, $6, $7, $8"
#define READ_LINKS "SELECT " LINK_COLUMNS " FROM decision_links "

DecisionLink link_of(const Statement& row) {
  DecisionLink out;
  row.read(out.id, out.approval, out.recipient, out.created_by, out.created_at, out.expires_at, out.used_at,
           out.revoked_at);
  return out;
}

struct LinkRows {
  Connection& db;

  Result<std::optional<DecisionLink>> find(std::string_view id) {
    Statement query(db, READ_LINKS "WHERE id = $1");
    return query.bind(id).one(link_of);
  }
  Result<std::int64_t> count(std::string_view approval) {
    Statement query(db, "SELECT count(*) FROM decision_links WHERE approval = $1");
    auto found = query.bind(approval).one([](const Statement& row) { return row.integer(0); });
    if (!found) return fail(found.error());
    return found->value_or(0);
  }
  Status insert(const DecisionLink& row) { return update(row); }
  Status update(const DecisionLink& row) {
    Statement insert(db, "INSERT INTO decision_links (" LINK_COLUMNS ") VALUES (" LINK_VALUES
                         ") ON CONFLICT (id) DO UPDATE SET used_at = $7, revoked_at = $8");
    return insert
        .bind(row.id, row.approval, row.recipient, row.created_by, row.created_at, row.expires_at,
              row.used_at, row.revoked_at)
        .run();
  }
  Status insert_audit(const AuditRow& row) { return platform::insert_audit(db, row); }
};

}  // namespace

Result<DecisionLink> PostgresStore::make_link(const DecisionLink& wanted) {
  if (Status status = rules::check_link(wanted); !status.ok()) return fail(status);
  return write<DecisionLink>(
      [&](Connection& db) { return calls::make_link(LinkRows{db}, ApprovalRows{db}, wanted, clock_.now()); });
}

Result<std::optional<DecisionLink>> PostgresStore::link(std::string_view id) {
  return reading<std::optional<DecisionLink>>([&](Connection& db) { return LinkRows{db}.find(id); });
}

Result<std::vector<DecisionLink>> PostgresStore::links(std::string_view approval) {
  return reading<std::vector<DecisionLink>>([&](Connection& db) {
    Statement query(db, READ_LINKS "WHERE approval = $1 ORDER BY created_at, id");
    return query.bind(approval).all(link_of);
  });
}

Result<DecisionLink> PostgresStore::revoke_link(std::string_view id, std::string_view by) {
  return write<DecisionLink>(
      [&](Connection& db) { return calls::revoke_link(LinkRows{db}, id, by, clock_.now()); });
}

Result<Approval> PostgresStore::begin_linked_decision(std::string_view link, const DecisionAttempt& attempt) {
  if (Status status = rules::check_attempt(attempt); !status.ok()) return fail(status);
  Status refused;
  Result<Approval> approval = write<Approval>([&](Connection& db) {
    return calls::begin_linked_decision(LinkRows{db}, ApprovalRows{db}, link, attempt, clock_.now(), refused);
  });
  if (approval && !refused.ok()) return fail(refused);
  return approval;
}

}  // namespace holdfast::platform
