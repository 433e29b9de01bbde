// Labels as rows: where each is now, and every move that it made.

#include <limits>

#include "platform/calls.h"
#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

#define M_COLUMNS \
  "m.agent, m.label, m.move, m.hash, m.previous, m.back, m.how, m.source, m.actor, m.comment, m.at"
#define READ_LABELS                                                                   \
  "SELECT " M_COLUMNS                                                                 \
  " FROM labels l JOIN label_moves m ON m.agent = l.agent AND m.label = l.label AND " \
  "m.move = l.move "
#define READ_MOVES "SELECT " M_COLUMNS " FROM label_moves m "

Label label_of(const Statement& row) {
  Label out;
  row.read(out.agent, out.label, out.move, out.hash, out.previous, out.back, out.how, out.source, out.actor,
           out.comment, out.at);
  return out;
}

Result<std::optional<Label>> find_label(Connection& db, std::string_view agent, std::string_view label) {
  Statement query(db, READ_LABELS "WHERE l.agent = $1 AND l.label = $2");
  return query.bind(agent, label).one(label_of);
}

struct LabelRowsOf {
  Connection& db;
  const std::string& agent;

  Result<std::optional<Label>> find(std::string_view label) { return find_label(db, agent, label); }
  Result<std::optional<Label>> find_move(std::string_view label, std::uint64_t move) {
    Statement query(db, READ_MOVES "WHERE m.agent = $1 AND m.label = $2 AND m.move = $3");
    return query.bind(agent, label, move).one(label_of);
  }
  Result<bool> has_version(std::string_view hash) {
    Statement query(db, "SELECT 1 FROM definitions WHERE name = $1 AND hash = $2");
    const auto found = query.bind(agent, hash).one([](const Statement&) { return true; });
    if (!found) return fail(found.error());
    return found->has_value();
  }
  Result<std::size_t> count_labels() {
    Statement query(db, "SELECT count(*) FROM labels WHERE agent = $1");
    const auto found =
        query.bind(agent).one([](const Statement& row) { return static_cast<std::size_t>(row.integer(0)); });
    if (!found) return fail(found.error());
    return found->value_or(0);
  }
  Status insert(const Label& row) {
    Statement move(db,
                   "INSERT INTO label_moves (agent, label, move, hash, previous, back, how, source, actor, "
                   "comment, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
    Status status = move.bind(row.agent, row.label, row.move, row.hash, row.previous, row.back, row.how,
                              row.source, row.actor, row.comment, row.at)
                        .run();
    if (!status.ok()) return status;
    Statement now(db,
                  "INSERT INTO labels (agent, label, move) VALUES ($1, $2, $3) "
                  "ON CONFLICT (agent, label) DO UPDATE SET move = excluded.move");
    return now.bind(row.agent, row.label, row.move).run();
  }
  Status insert_audit(const AuditRow& row) { return platform::insert_audit(db, row); }
};

}  // namespace

Result<MovedLabel> PostgresStore::move_label(const LabelMove& wanted) {
  if (Status status = rules::check_label_move(wanted); !status.ok()) return fail(status);
  return write<MovedLabel>(
      [&](Connection& db) { return calls::move_label(LabelRowsOf{db, wanted.agent}, wanted, clock_.now()); });
}

Result<std::optional<Label>> PostgresStore::label(std::string_view agent, std::string_view label) {
  return reading<std::optional<Label>>([&](Connection& db) { return find_label(db, agent, label); });
}

Result<std::vector<Label>> PostgresStore::labels(std::string_view agent) {
  return reading<std::vector<Label>>([&](Connection& db) {
    Statement query(db, READ_LABELS "WHERE l.agent = $1 ORDER BY l.label");
    return query.bind(agent).all(label_of);
  });
}

Result<std::vector<Label>> PostgresStore::label_moves(std::string_view agent, std::string_view label,
                                                      std::uint64_t before, std::uint32_t limit) {
  return reading<std::vector<Label>>([&](Connection& db) {
    Statement query(
        db, READ_MOVES "WHERE m.agent = $1 AND m.label = $2 AND m.move < $3 ORDER BY m.move DESC LIMIT $4");
    const std::int64_t end =
        before == 0 ? std::numeric_limits<std::int64_t>::max() : static_cast<std::int64_t>(before);
    return query.bind(agent, label, end, rules::page_size(limit)).all(label_of);
  });
}

Result<std::vector<std::string>> PostgresStore::versions_beginning(std::string_view agent,
                                                                   std::string_view digits) {
  return reading<std::vector<std::string>>([&](Connection& db) {
    // Behind the last hex digit comes `g`.
    Statement query(db,
                    "SELECT hash FROM definitions WHERE name = $1 AND hash >= $2 AND hash < $3 "
                    "ORDER BY hash LIMIT 2");
    const std::string end = std::string(digits) + 'g';
    return query.bind(agent, digits, end).all([](const Statement& row) { return row.text(0); });
  });
}

}  // namespace holdfast::platform
