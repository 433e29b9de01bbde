// Approvals: an index of what waits for a human and how it ended. The workflow decides who wins; this file
// remembers what was asked, every attempt to answer, and the outcome.

#include <fmt/format.h>

#include "base/sha256.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

constexpr std::string_view kStatusNames[] = {"pending", "approved", "rejected", "expired", "edited"};

enum class Answer : std::uint8_t { kNone = 0, kWon = 1, kLost = 2 };

#define APPROVAL_COLUMNS                                                                          \
  "id, run, agent, tool, arguments, arguments_sha256, reason, requested_at, expires_at, status, " \
  "decided_by, "                                                                                  \
  "decided_at, comment, edited_arguments"

Approval approval_of(const Statement& row) {
  Approval out;
  row.read(out.id, out.run, out.agent, out.tool, out.arguments, out.arguments_sha256, out.reason,
           out.requested_at, out.expires_at, out.status, out.decided_by, out.decided_at, out.comment,
           out.edited_arguments);
  return out;
}

Result<std::optional<Approval>> find_approval(Database& db, std::string_view id) {
  return Statement(db, "SELECT " APPROVAL_COLUMNS " FROM approvals WHERE id = ?1").bind(id).one(approval_of);
}

Result<Approval> need_approval(Database& db, std::string_view id) {
  Result<std::optional<Approval>> found = find_approval(db, id);
  if (!found) return fail(found.error());
  if (!*found) return fail(Code::kNotFound, fmt::format("there is no approval {}", id));
  return std::move(**found);
}

// Writes the outcome if the row is pending.
Status settle_in(Database& db, const Approval& outcome) {
  Statement update(db,
                   "UPDATE approvals SET status = ?2, decided_by = ?3, decided_at = ?4, comment = ?5, "
                   "edited_arguments = ?6 "
                   "WHERE id = ?1 AND status = 0");
  update.bind(outcome.id, outcome.status, outcome.decided_by, outcome.decided_at, outcome.comment,
              outcome.edited_arguments);
  return update.run();
}

#define DECISION_COLUMNS \
  "update_id, approval, decision, arguments_sha256, edited_arguments, decided_by, comment, at"

DecisionAttempt attempt_of(const Statement& row) {
  DecisionAttempt out;
  row.read(out.update_id, out.approval, out.decision, out.arguments_sha256, out.edited_arguments,
           out.decided_by, out.comment, out.at);
  return out;
}

struct StoredAttempt {
  DecisionAttempt attempt;
  Answer answer = Answer::kNone;
};

Result<std::optional<StoredAttempt>> find_attempt(Database& db, std::string_view update_id) {
  return Statement(db, "SELECT " DECISION_COLUMNS ", answer FROM decisions WHERE update_id = ?1")
      .bind(update_id)
      .one([](const Statement& row) {
        StoredAttempt out{.attempt = attempt_of(row)};
        row.read_from(8, out.answer);
        return out;
      });
}

Status insert_attempt(Database& db, const DecisionAttempt& attempt, WallTime now) {
  Statement insert(
      db,
      "INSERT INTO decisions (update_id, approval, decision, arguments_sha256, edited_arguments, "
      "decided_by, comment, "
      "at, answer, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, '')");
  return insert
      .bind(attempt.update_id, attempt.approval, attempt.decision, attempt.arguments_sha256,
            attempt.edited_arguments, attempt.decided_by, attempt.comment, now)
      .run();
}

Status audit_lost(Database& db, const DecisionAttempt& attempt, std::string_view why, WallTime now) {
  AuditRow row;
  row.actor = attempt.decided_by;
  row.action = "approval.lost";
  row.subject = attempt.approval;
  row.detail =
      json_object({{"update_id", attempt.update_id},
                   {"decision", std::string(kStatusNames[static_cast<std::size_t>(attempt.decision)])},
                   {"why", std::string(why)}});
  return insert_audit(db, row, now);
}

// Why the attempt cannot be sent; OK when it can.
Status refusal(const Approval& approval, const DecisionAttempt& attempt, WallTime now) {
  if (approval.status != ApprovalStatus::kPending) {
    const auto name = kStatusNames[static_cast<std::size_t>(approval.status)];
    return Status(Code::kFailedPrecondition, approval.decided_by.empty()
                                                 ? fmt::format("approval {} is already {}", approval.id, name)
                                                 : fmt::format("approval {} is already {} by {}", approval.id,
                                                               name, approval.decided_by));
  }
  if (approval.expires_at && *approval.expires_at <= now) {
    return Status(Code::kFailedPrecondition, fmt::format("approval {} has expired", approval.id));
  }
  if (!attempt.arguments_sha256.empty() && attempt.arguments_sha256 != approval.arguments_sha256) {
    return Status(
        Code::kFailedPrecondition,
        fmt::format("approval {} is about other arguments than the decision: read it again", approval.id));
  }
  return {};
}

Status check_attempt(const DecisionAttempt& attempt) {
  if (Status status = check_name("an update", attempt.update_id); !status.ok()) return status;
  if (attempt.decision == ApprovalStatus::kPending || attempt.decision == ApprovalStatus::kExpired) {
    return Status(Code::kInvalidArgument, "a decision is approved, rejected or edited");
  }
  if ((attempt.decision == ApprovalStatus::kEdited) == attempt.edited_arguments.empty()) {
    return Status(Code::kInvalidArgument, "an edit needs the new arguments, and only an edit has them");
  }
  return check_body("the edited arguments", attempt.edited_arguments);
}

}  // namespace

Result<Approval> SqliteStore::request_approval(const Approval& approval) {
  if (Status status = check_name("an approval", approval.id); !status.ok()) return fail(status);
  if (Status status = check_body("the arguments of an approval", approval.arguments); !status.ok())
    return fail(status);
  const std::string sha256 = sha256_hex(approval.arguments);
  if (!approval.arguments_sha256.empty() && approval.arguments_sha256 != sha256) {
    return fail(Code::kInvalidArgument,
                fmt::format("approval {}: the hash is not that of the arguments", approval.id));
  }
  return write<Approval>([&](Database& db) -> Result<Approval> {
    Result<std::optional<Approval>> found = find_approval(db, approval.id);
    if (!found) return fail(found.error());
    if (*found) {
      const Approval& before = **found;
      if (before.run == approval.run && before.tool == approval.tool && before.arguments_sha256 == sha256)
        return before;
      return fail(Code::kAlreadyExists, fmt::format("approval {} asks about another call", approval.id));
    }
    Approval row = approval;
    row.arguments_sha256 = sha256;
    row.status = ApprovalStatus::kPending;
    if (row.requested_at == WallTime{}) row.requested_at = clock_.now();
    Statement insert(db, "INSERT INTO approvals (" APPROVAL_COLUMNS
                         ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, '', NULL, '', '')");
    insert.bind(row.id, row.run, row.agent, row.tool, row.arguments, row.arguments_sha256, row.reason,
                row.requested_at, row.expires_at);
    if (Status status = insert.run(); !status.ok()) return fail(status);
    return row;
  });
}

Result<Approval> SqliteStore::approval(std::string_view id) {
  return reading<Approval>([&](Database& db) { return need_approval(db, id); });
}

Result<std::vector<Approval>> SqliteStore::approvals(const ApprovalFilter& filter) {
  return reading<std::vector<Approval>>([&](Database& db) -> Result<std::vector<Approval>> {
    std::int64_t before = INT64_MAX;
    if (!filter.after.empty()) {
      Result<std::optional<std::int64_t>> place =
          Statement(db, "SELECT n FROM approvals WHERE id = ?1").bind(filter.after).one(number_of);
      if (!place) return fail(place.error());
      if (!*place) return fail(Code::kInvalidArgument, "`after` names no approval: " + filter.after);
      before = **place;
    }
    // Three statements, so that each finds its index.
    sqlite::Literal sql =
        "SELECT " APPROVAL_COLUMNS
        " FROM approvals WHERE n < ?1 AND (?2 IS NULL OR status = ?2) ORDER BY n DESC LIMIT ?4";
    if (!filter.run.empty()) {
      sql = "SELECT " APPROVAL_COLUMNS
            " FROM approvals WHERE n < ?1 AND (?2 IS NULL OR status = ?2) AND run = ?3 ORDER BY n DESC LIMIT "
            "?4";
    } else if (filter.status) {
      sql =
          "SELECT " APPROVAL_COLUMNS " FROM approvals WHERE n < ?1 AND status = ?2 ORDER BY n DESC LIMIT ?4";
    }
    Statement query(db, sql);
    return query.bind(before, filter.status, filter.run, page_size(filter.limit)).all(approval_of);
  });
}

Result<Approval> SqliteStore::begin_decision(const DecisionAttempt& attempt) {
  if (Status status = check_attempt(attempt); !status.ok()) return fail(status);
  // A refusal is an answer, not a failure of the transaction: its audit row has to stay.
  using Outcome = std::pair<Approval, Status>;
  Result<Outcome> outcome = write<Outcome>([&](Database& db) -> Result<Outcome> {
    Result<Approval> approval = need_approval(db, attempt.approval);
    if (!approval) return fail(approval.error());
    auto before = find_attempt(db, attempt.update_id);
    if (!before) return fail(before.error());
    if (*before) {
      const DecisionAttempt& stored = (*before)->attempt;
      if (stored.approval == attempt.approval && stored.decision == attempt.decision &&
          stored.edited_arguments == attempt.edited_arguments) {
        return Outcome(std::move(*approval), {});
      }
      return fail(Code::kAlreadyExists, fmt::format("update {} is another decision", attempt.update_id));
    }
    const WallTime at = clock_.now();
    Status refused = refusal(*approval, attempt, at);
    Status stored =
        refused.ok() ? insert_attempt(db, attempt, at) : audit_lost(db, attempt, refused.message(), at);
    if (!stored.ok()) return fail(stored);
    return Outcome(std::move(*approval), std::move(refused));
  });
  if (!outcome) return fail(outcome.error());
  if (!outcome->second.ok()) return fail(outcome->second);
  return std::move(outcome->first);
}

Result<std::vector<DecisionAttempt>> SqliteStore::unanswered_decisions(std::string_view after) {
  return reading<std::vector<DecisionAttempt>>([&](Database& db) {
    Statement query(
        db, "SELECT " DECISION_COLUMNS
            " FROM decisions WHERE answer = 0 "
            "AND n > coalesce((SELECT n FROM decisions WHERE update_id = ?2), 0) ORDER BY n LIMIT ?1");
    return query.bind(kMaxPage, after).all(attempt_of);
  });
}

Result<Approval> SqliteStore::finish_decision(std::string_view update_id, bool won, std::string_view why) {
  return write<Approval>([&](Database& db) -> Result<Approval> {
    auto found = find_attempt(db, update_id);
    if (!found) return fail(found.error());
    if (!*found) return fail(Code::kNotFound, fmt::format("there is no decision {}", update_id));
    const auto& [attempt, answer] = **found;
    if (answer != Answer::kNone) return need_approval(db, attempt.approval);

    const WallTime at = clock_.now();
    Statement update(db, "UPDATE decisions SET answer = ?2, why = ?3 WHERE update_id = ?1");
    update.bind(update_id, won ? Answer::kWon : Answer::kLost, why);
    if (Status status = update.run(); !status.ok()) return fail(status);
    if (!won) {
      if (Status status = audit_lost(db, attempt, why, at); !status.ok()) return fail(status);
      return need_approval(db, attempt.approval);
    }
    Approval outcome;
    outcome.id = attempt.approval;
    outcome.status = attempt.decision;
    outcome.decided_by = attempt.decided_by;
    outcome.decided_at = attempt.at;
    outcome.comment = attempt.comment;
    outcome.edited_arguments = attempt.edited_arguments;
    if (Status status = settle_in(db, outcome); !status.ok()) return fail(status);
    AuditRow row;
    row.actor = attempt.decided_by;
    row.action = "approval.decided";
    row.subject = attempt.approval;
    row.detail =
        json_object({{"update_id", attempt.update_id},
                     {"decision", std::string(kStatusNames[static_cast<std::size_t>(attempt.decision)])}});
    if (Status status = insert_audit(db, row, at); !status.ok()) return fail(status);
    return need_approval(db, attempt.approval);
  });
}

Result<Approval> SqliteStore::settle_approval(const Approval& outcome) {
  if (outcome.status == ApprovalStatus::kPending) {
    return fail(Code::kInvalidArgument, "an outcome is approved, rejected, edited or expired");
  }
  return write<Approval>([&](Database& db) -> Result<Approval> {
    Result<Approval> before = need_approval(db, outcome.id);
    if (!before) return before;
    if (before->status != ApprovalStatus::kPending) {
      if (before->status == outcome.status && before->edited_arguments == outcome.edited_arguments)
        return before;
      return fail(Code::kFailedPrecondition,
                  fmt::format("approval {} is already {}", outcome.id,
                              kStatusNames[static_cast<std::size_t>(before->status)]));
    }
    Approval row = outcome;
    if (!row.decided_at) row.decided_at = clock_.now();
    if (Status status = settle_in(db, row); !status.ok()) return fail(status);
    return need_approval(db, outcome.id);
  });
}

}  // namespace holdfast::platform
