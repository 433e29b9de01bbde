#include "platform_sqlite/run_index.h"

#include "platform/rules.h"
#include "platform_sqlite/ledger_rows.h"
#include "platform_sqlite/readers.h"
#include "platform_sqlite/sqlite_store_impl.h"
#include "protocol/steering.h"

namespace holdfast::platform {

namespace {

// What is not over is looked at further, row by row; of the others an index says all. ?5 and ?6 are kinds of
// waiting, ?7 a pending approval.
#define COUNTED_STATUS                                                                              \
  "CASE WHEN b.status IS NOT NULL THEN b.status "                                                   \
  "WHEN EXISTS (SELECT 1 FROM held_runs h WHERE h.run = r.run AND h.kind = ?5) THEN 'paused' "      \
  "WHEN EXISTS (SELECT 1 FROM held_runs h WHERE h.run = r.run AND h.kind = ?6) THEN 'parked' "      \
  "WHEN EXISTS (SELECT 1 FROM approvals a WHERE a.run = r.run AND a.status = ?7) THEN 'waiting' "   \
  "WHEN EXISTS (SELECT 1 FROM runs u WHERE u.n = r.n AND u.started_at IS NULL) THEN 'queued' ELSE " \
  "'running' END"
#define COUNTED_RUNS                                                                                  \
  " FROM runs r INDEXED BY runs_by_time LEFT JOIN bills b INDEXED BY bills_counted ON b.run = r.run " \
  "WHERE r.created_at >= ?1 AND r.created_at < ?2 AND (?8 = '' OR r.agent = ?8) GROUP BY 1, 2"

class SqliteRunIndex final : public RunIndex {
 public:
  SqliteRunIndex(std::filesystem::path path, std::string vfs,
                 std::function<void(const std::string&)> complain)
      : readers_(std::move(path), std::move(vfs)), damage_("platform.db: ", "file", std::move(complain)) {}

  Result<std::vector<RunRecord>> runs(const RunFilter& filter, const TimeRange& range) override {
    return reading<std::vector<RunRecord>>([&](Database& db) { return list_runs(db, filter, range); });
  }

  Result<std::optional<std::pair<WallTime, WallTime>>> run_span() override {
    using Span = std::optional<std::pair<WallTime, WallTime>>;
    return reading<Span>([](Database& db) -> Result<Span> {
      Statement query(db, "SELECT (SELECT min(created_at) FROM runs), (SELECT max(created_at) FROM runs)");
      auto found = query.one([](const Statement& row) {
        std::optional<WallTime> first, last;
        row.read(first, last);
        return std::pair(first, last);
      });
      if (!found) return fail(found.error());
      if (!*found || !(*found)->first || !(*found)->second) return Span();
      return Span({*(*found)->first, *(*found)->second});
    });
  }

  Result<std::vector<RunCount>> run_counts(const RunCountQuery& query) override {
    return reading<std::vector<RunCount>>([&](Database& db) {
      Statement counts(db, "SELECT (r.created_at - ?3) / ?4, " COUNTED_STATUS ", count(*)" COUNTED_RUNS);
      counts.bind(query.from, query.to, query.origin, query.width.count(), protocol::HoldKind::kPaused,
                  protocol::HoldKind::kParked, ApprovalStatus::kPending, query.agent);
      return counts.all([](const Statement& row) {
        RunCount out;
        row.read(out.bin, out.status, out.count);
        return out;
      });
    });
  }

  Result<std::vector<ConversationRow>> conversations(std::string_view after, std::uint32_t limit) override {
    return reading<std::vector<ConversationRow>>([&](Database& db) -> Result<std::vector<ConversationRow>> {
      Result<std::int64_t> before = page_before(db, "SELECT n FROM turns WHERE run = ?1", after, "run");
      if (!before) return fail(before.error());
      // From the newest turn on, those that no later one of their conversation follows.
      Statement query(db,
                      "SELECT conversation, run, at, (SELECT count(*) FROM turns c WHERE c.conversation = "
                      "t.conversation) FROM turns t WHERE n < ?1 AND NOT EXISTS (SELECT 1 FROM turns u WHERE "
                      "u.conversation = t.conversation AND u.n > t.n) ORDER BY n DESC LIMIT ?2");
      return query.bind(*before, rules::page_size(limit)).all([](const Statement& row) {
        ConversationRow out;
        row.read(out.id, out.newest, out.at, out.runs);
        return out;
      });
    });
  }

  Result<std::vector<BudgetRow>> budgets(const BudgetFilter& filter) override {
    return reading<std::vector<BudgetRow>>([&](Database& db) { return list_budgets(db, filter, damage_); });
  }

 private:
  template <typename T, typename Work>
  Result<T> reading(Work work) {
    Result<Readers::Lease> lease = readers_.take();
    if (!lease) return fail(lease.error());
    return work(**lease);
  }

  Readers readers_;
  DamageLog damage_;
};

}  // namespace

std::unique_ptr<RunIndex> sqlite_run_index(std::filesystem::path path, std::string vfs,
                                           std::function<void(const std::string&)> complain) {
  return std::make_unique<SqliteRunIndex>(std::move(path), std::move(vfs), std::move(complain));
}

}  // namespace holdfast::platform
