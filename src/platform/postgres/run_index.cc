#include "platform_postgres/run_index.h"

#include "platform/rules.h"
#include "platform_postgres/ledger_rows.h"
#include "platform_postgres/postgres_store_impl.h"
#include "platform_postgres/readers.h"
#include "protocol/steering.h"

namespace holdfast::platform {

namespace {

// What is not over is looked at further, row by row. $5 and $6 are kinds of waiting, $7 a pending approval.
#define COUNTED_STATUS                                                                                   \
  "CASE WHEN b.status IS NOT NULL THEN b.status "                                                        \
  "WHEN EXISTS (SELECT 1 FROM held_runs h WHERE h.run = r.run AND h.kind = $5) THEN 'paused'::bytea "    \
  "WHEN EXISTS (SELECT 1 FROM held_runs h WHERE h.run = r.run AND h.kind = $6) THEN 'parked'::bytea "    \
  "WHEN EXISTS (SELECT 1 FROM approvals a WHERE a.run = r.run AND a.status = $7) THEN 'waiting'::bytea " \
  "WHEN r.started_at IS NULL THEN 'queued'::bytea ELSE 'running'::bytea END"
#define COUNTED_RUNS                                                              \
  " FROM runs r LEFT JOIN bills b ON b.run = r.run WHERE r.created_at >= $1 AND " \
  "r.created_at < $2 AND ($8::bytea = ''::bytea OR r.agent = $8) GROUP BY 1, 2"

class PostgresRunIndex final : public RunIndex {
 public:
  explicit PostgresRunIndex(SessionOptions options) : readers_(std::move(options)) {}

  Result<std::vector<RunRecord>> runs(const RunFilter& filter, const TimeRange& range) override {
    return readers_.run<std::vector<RunRecord>>([&](Connection& db) { return list_runs(db, filter, range); });
  }

  Result<std::optional<std::pair<WallTime, WallTime>>> run_span() override {
    using Span = std::optional<std::pair<WallTime, WallTime>>;
    return readers_.run<Span>([](Connection& db) -> Result<Span> {
      Statement query(db, "SELECT min(created_at), max(created_at) FROM runs");
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
    return readers_.run<std::vector<RunCount>>([&](Connection& db) {
      Statement counts(
          db, "SELECT (r.created_at - $3::bigint) / $4::bigint, " COUNTED_STATUS ", count(*)" COUNTED_RUNS);
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
    using Rows = std::vector<ConversationRow>;
    return readers_.run<Rows>([&](Connection& db) -> Result<Rows> {
      Result<std::int64_t> before = page_before(db, "SELECT n FROM turns WHERE run = $1", after, "run");
      if (!before) return fail(before.error());
      // From the newest turn on, those that no later one of their conversation follows.
      Statement query(db,
                      "SELECT conversation, run, at, (SELECT count(*) FROM turns c WHERE c.conversation = "
                      "t.conversation) FROM turns t WHERE n < $1 AND NOT EXISTS (SELECT 1 FROM turns u WHERE "
                      "u.conversation = t.conversation AND u.n > t.n) ORDER BY n DESC LIMIT $2");
      return query.bind(*before, rules::page_size(limit)).all([](const Statement& row) {
        ConversationRow out;
        row.read(out.id, out.newest, out.at, out.runs);
        return out;
      });
    });
  }

  Result<std::vector<BudgetRow>> budgets(const BudgetFilter& filter) override {
    return readers_.run<std::vector<BudgetRow>>([&](Connection& db) { return list_budgets(db, filter); });
  }

 private:
  PostgresReaders readers_;
};

}  // namespace

std::unique_ptr<RunIndex> postgres_run_index(SessionOptions options) {
  return std::make_unique<PostgresRunIndex>(std::move(options));
}

}  // namespace holdfast::platform
