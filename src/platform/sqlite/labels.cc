// Labels as rows: where each is now, and every move that it made.

#include <limits>

#include "platform/calls.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define MOVE_COLUMNS "agent, label, move, hash, previous, back, how, source, actor, comment, at"
#define MOVE_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11"
#define M_COLUMNS \
  "m.agent, m.label, m.move, m.hash, m.previous, m.back, m.how, m.source, m.actor, m.comment, m.at"
#define MOVE_DAMAGED ROW_DAMAGED("m.checksum", "label_moves", M_COLUMNS)
// A label without its move was never written, and is damaged, too.
#define READ_LABELS \
  "SELECT l.agent, " M_COLUMNS ", (m.move IS NULL OR " MOVE_DAMAGED " OR " ROW_DAMAGED(             \
      "l.checksum", "labels", "l.agent, l.label, l.move") ") FROM labels l LEFT JOIN label_moves m " \
      "ON m.agent = l.agent AND m.label = l.label AND m.move = l.move "
#define READ_MOVES "SELECT m.agent, " M_COLUMNS ", " MOVE_DAMAGED " FROM label_moves m "

Label label_of(const Statement& row) {
  Label out;
  row.read_from(1, out.agent, out.label, out.move, out.hash, out.previous, out.back, out.how, out.source,
                out.actor, out.comment, out.at);
  return out;
}

Result<std::optional<Label>> find_label(Database& db, std::string_view agent, std::string_view label) {
  Statement query(db, READ_LABELS "WHERE l.agent = ?1 AND l.label = ?2");
  return sound_one(query.bind(agent, label), "labels", label_of);
}

struct LabelRowsOf {
  Database& db;
  const std::string& agent;

  Result<std::optional<Label>> find(std::string_view label) { return find_label(db, agent, label); }
  Result<std::optional<Label>> find_move(std::string_view label, std::uint64_t move) {
    Statement query(db, READ_MOVES "WHERE m.agent = ?1 AND m.label = ?2 AND m.move = ?3");
    return sound_one(query.bind(agent, label, move), "label_moves", label_of);
  }
  Result<bool> has_version(std::string_view hash) {
    Statement query(db, "SELECT 1 FROM definitions WHERE name = ?1 AND hash = ?2");
    const auto found = query.bind(agent, hash).one([](const Statement&) { return true; });
    if (!found) return fail(found.error());
    return found->has_value();
  }
  Result<std::size_t> count_labels() {
    Statement query(db, "SELECT count(*) FROM labels WHERE agent = ?1");
    const auto found =
        query.bind(agent).one([](const Statement& row) { return static_cast<std::size_t>(row.integer(0)); });
    if (!found) return fail(found.error());
    return found->value_or(0);
  }
  Status insert(const Label& row) {
    Statement move(db, "INSERT INTO label_moves (" MOVE_COLUMNS ", checksum) VALUES (" MOVE_VALUES
                       ", " ROW_SUM("label_moves", MOVE_VALUES) ")");
    Status status = move.bind(row.agent, row.label, row.move, row.hash, row.previous, row.back, row.how,
                              row.source, row.actor, row.comment, row.at)
                        .run();
    if (!status.ok()) return status;
    Statement now(db, "INSERT INTO labels (agent, label, move, checksum) VALUES (?1, ?2, ?3, " ROW_SUM(
                          "labels",
                          "?1, ?2, ?3") ") ON CONFLICT (agent, label) DO UPDATE SET move = ?3, "
                                        "checksum = excluded.checksum");
    return now.bind(row.agent, row.label, row.move).run();
  }
  Status insert_audit(const AuditRow& row) { return platform::insert_audit(db, row); }
};

}  // namespace

Result<MovedLabel> SqliteStore::move_label(const LabelMove& wanted) {
  if (Status status = rules::check_label_move(wanted); !status.ok()) return fail(status);
  return write<MovedLabel>(
      [&](Database& db) { return calls::move_label(LabelRowsOf{db, wanted.agent}, wanted, clock_.now()); });
}

Result<std::optional<Label>> SqliteStore::label(std::string_view agent, std::string_view label) {
  return reading<std::optional<Label>>([&](Database& db) { return find_label(db, agent, label); });
}

Result<std::vector<Label>> SqliteStore::labels(std::string_view agent) {
  return reading<std::vector<Label>>([&](Database& db) {
    Statement query(db, READ_LABELS "WHERE l.agent = ?1 ORDER BY l.label");
    return sound_all(query.bind(agent), "labels", damage_, kMaxLabels, label_of);
  });
}

Result<std::vector<Label>> SqliteStore::label_moves(std::string_view agent, std::string_view label,
                                                    std::uint64_t before, std::uint32_t limit) {
  return reading<std::vector<Label>>([&](Database& db) {
    Statement query(db,
                    READ_MOVES "WHERE m.agent = ?1 AND m.label = ?2 AND m.move < ?3 ORDER BY m.move DESC");
    const std::int64_t end =
        before == 0 ? std::numeric_limits<std::int64_t>::max() : static_cast<std::int64_t>(before);
    return sound_all(query.bind(agent, label, end), "label_moves", damage_, rules::page_size(limit),
                     label_of);
  });
}

Result<std::vector<std::string>> SqliteStore::versions_beginning(std::string_view agent,
                                                                 std::string_view digits) {
  return reading<std::vector<std::string>>([&](Database& db) {
    // Behind the last hex digit comes `g`.
    Statement query(db,
                    "SELECT hash FROM definitions WHERE name = ?1 AND hash >= ?2 AND hash < ?2 || 'g' "
                    "ORDER BY hash LIMIT 2");
    return query.bind(agent, digits).all([](const Statement& row) { return row.text(0); });
  });
}

}  // namespace holdfast::platform
