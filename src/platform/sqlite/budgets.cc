// Budgets, usage by day, and bills: calls over the rows of ledger_rows.h.

#include <fmt/format.h>

#include "platform/budget_calls.h"
#include "platform_sqlite/ledger_rows.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

// What stands in the record, too: of a run that has ended, what it used and said; of a budget, who raised it.
struct RecordedRows : SqliteLedgerRows {
  Result<std::optional<rules::RunSaid>> said_by(std::string_view run) { return platform::said_by(db, run); }
  Status insert_audit(const AuditRow& row) { return platform::insert_audit(db, row); }
};

// What a report is by: a name, what the name is of, and a day.
std::string grouping(UsageBy by) {
  switch (by) {
    case UsageBy::kAgent: return "agent, '', 0";
    case UsageBy::kModel: return "model, provider, 0";
    case UsageBy::kVersion: return "version, agent, 0";
    case UsageBy::kTool: return "tool, agent, 0";
    case UsageBy::kDay: return "'', '', day";
  }
  return {};
}

constexpr std::string_view kSums =
    "coalesce(sum(calls), 0), coalesce(sum(tool_calls), 0), coalesce(sum(input_tokens), 0), "
    "coalesce(sum(output_tokens), 0), coalesce(sum(cached_input_tokens), 0), "
    "coalesce(sum(cache_write_tokens), 0), coalesce(sum(reasoning_tokens), 0), "
    "coalesce(sum(cost), 0), coalesce(sum(unpriced_calls), 0), coalesce(sum(uncounted_calls), "
    "0), coalesce(min(nullif(price_as_of, '')), '')";

std::string rows_of(UsageBy by) {
  std::string where = "FROM usage_days WHERE day BETWEEN ?1 AND ?2";
  if (by == UsageBy::kModel) where += " AND tool = ''";
  if (by == UsageBy::kTool) where += " AND tool <> ''";
  return where;
}

void read_sums(const Statement& row, int first, UsageTotal& total) {
  row.read_from(first, total.calls, total.tool_calls, total.input_tokens, total.output_tokens,
                total.cached_input_tokens, total.cache_write_tokens, total.reasoning_tokens, total.cost,
                total.unpriced_calls, total.uncounted_calls, total.price_as_of);
}

UsageLine read_line(const Statement& row) {
  UsageLine out;
  row.read(out.name, out.of, out.day);
  constexpr int kBehindNames = 3;
  read_sums(row, kBehindNames, out.used);
  return out;
}

}  // namespace

Status SqliteStore::record_usage(const Usage& usage) {
  return commit_.run([&](Database& db) {
    SqliteLedgerRows rows{db};
    return calls::book(rows, usage, clock_.now());
  });
}

Result<UsageTotal> SqliteStore::usage_of_run(std::string_view run) {
  return reading<UsageTotal>([&](Database& db) { return SqliteLedgerRows{db}.usage_of(run); });
}

Result<std::optional<Account>> SqliteStore::account(std::string_view run) {
  return reading<std::optional<Account>>(
      [&](Database& db) { return SqliteLedgerRows{db}.find_account(run); });
}

Result<std::vector<std::optional<Account>>> SqliteStore::accounts(const std::vector<std::string>& runs) {
  if (runs.size() > kMaxPage) return fail(Code::kInvalidArgument, "too many runs at once");
  return reading<std::vector<std::optional<Account>>>(
      [&](Database& db) -> Result<std::vector<std::optional<Account>>> {
        std::vector<std::optional<Account>> out;
        for (const std::string& run : runs) {
          Result<std::optional<Account>> found = SqliteLedgerRows{db}.find_account(run);
          if (!found) return fail(found.error());
          out.push_back(*std::move(found));
        }
        return out;
      });
}

Result<Reserved> SqliteStore::reserve(const Reservation& wanted, const std::optional<Usage>& books) {
  if (Status status = rules::check_reservation(wanted); !status.ok()) return fail(status);
  return write<Reserved>(
      [&](Database& db) { return calls::reserve(SqliteLedgerRows{db}, wanted, books, clock_.now()); });
}

Status SqliteStore::settle_reservation(std::string_view key, const std::vector<Usage>& used) {
  return commit_.run([&](Database& db) {
    SqliteLedgerRows rows{db};
    Status status;
    for (const Usage& usage : used) {
      if (status.ok()) status = calls::book(rows, usage, clock_.now());
    }
    return status.ok() ? calls::settle(rows, key) : status;
  });
}

Result<Raised> SqliteStore::raise_budget(const Raise& wanted) {
  return write<Raised>([&](Database& db) { return calls::raise(RecordedRows{{db}}, wanted, clock_.now()); });
}

Result<UsageReport> SqliteStore::usage_report(const UsageQuery& query) {
  return reading<UsageReport>([&](Database& db) -> Result<UsageReport> {
    const std::string order = query.by == UsageBy::kDay ? "3 DESC" : "11 DESC, 1, 2";
    Statement lines = Statement::once(
        db, fmt::format("SELECT {}, {} {} GROUP BY 1, 2, 3 ORDER BY {} LIMIT {}", grouping(query.by), kSums,
                        rows_of(query.by), order, kMaxUsageLines + 1));
    Result<std::vector<UsageLine>> found = lines.bind(query.from, query.to).all(read_line);
    if (!found) return fail(found.error());
    UsageReport out;
    out.lines = *std::move(found);
    out.more = out.lines.size() > kMaxUsageLines;
    if (out.more) out.lines.pop_back();
    Statement sum = Statement::once(db, fmt::format("SELECT {} {}", kSums, rows_of(query.by)));
    Result<std::optional<UsageTotal>> total = sum.bind(query.from, query.to).one([](const Statement& row) {
      UsageTotal all;
      read_sums(row, 0, all);
      return all;
    });
    if (!total) return fail(total.error());
    out.total = total->value_or(UsageTotal());
    return out;
  });
}

Result<Bill> SqliteStore::write_bill(const Bill& ended) {
  if (Status status = rules::check_name("a bill", ended.run); !status.ok()) return fail(status);
  return write<Bill>([&](Database& db) { return calls::write_bill(RecordedRows{{db}}, ended, clock_.now()); });
}

Result<std::optional<Bill>> SqliteStore::bill(std::string_view run) {
  return reading<std::optional<Bill>>([&](Database& db) { return SqliteLedgerRows{db}.find_bill(run); });
}

}  // namespace holdfast::platform
