#include "platform_postgres/ledger_rows.h"

#include <fmt/format.h>

#include "platform/budget_rules.h"
#include "platform/rules.h"
#include "platform_postgres/postgres_store_impl.h"
#include "platform_postgres/unkept_runs.h"
#include "postgres/statement.h"

namespace holdfast::platform {

using postgres::Statement;

namespace {

#define TOTAL_COLUMNS                                                                         \
  "calls, tool_calls, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens, " \
  "reasoning_tokens, cost, unpriced_calls, uncounted_calls, price_as_of"
#define USAGE_COLUMNS                                                                                 \
  "key, run, agent, provider, model, input_tokens, output_tokens, cached_input_tokens, at, version, " \
  "tool, cache_write_tokens, reasoning_tokens, cost, price_as_of, uncounted"
#define USAGE_VALUES "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16"
#define ACCOUNT_COLUMNS                                                                    \
  "run, parent, agent, version, depth, budgeted, limit_tokens, limit_money, limit_calls, " \
  "limit_tool_calls, limit_depth, deadline, park, " TOTAL_COLUMNS                          \
  ", reserved_tokens, reserved_money, reserved_calls, waiting_on, at"
#define ACCOUNT_VALUES                                                 \
  "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, " \
  "$16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29"
#define RESERVATION_COLUMNS "key, run, tokens, money, calls, at"
#define RESERVATION_VALUES "$1, $2, $3, $4, $5, $6"
#define BILL_COLUMNS \
  "run, parent, agent, version, status, error_type, " TOTAL_COLUMNS ", unsettled_cost, begun_at, ended_at"
#define BILL_VALUES \
  "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20"

void bind_total(Statement& to, const UsageTotal& total) {
  to.bind(total.calls, total.tool_calls, total.input_tokens, total.output_tokens, total.cached_input_tokens,
          total.cache_write_tokens, total.reasoning_tokens, total.cost, total.unpriced_calls,
          total.uncounted_calls, total.price_as_of);
}

constexpr int kTotalColumns = 11;

void read_total(const Statement& row, int first, UsageTotal& total) {
  row.read_from(first, total.calls, total.tool_calls, total.input_tokens, total.output_tokens,
                total.cached_input_tokens, total.cache_write_tokens, total.reasoning_tokens, total.cost,
                total.unpriced_calls, total.uncounted_calls, total.price_as_of);
}

void bind_account(Statement& to, const Account& account) {
  const BudgetLimits& limits = account.limits;
  to.bind(account.run, account.parent, account.agent, account.version, account.depth, account.budgeted,
          limits.tokens, limits.money, limits.calls, limits.tool_calls, limits.depth, limits.deadline,
          limits.park);
  bind_total(to, account.used);
  to.bind(account.reserved.tokens, account.reserved.money, account.reserved.calls, account.waiting_on,
          account.at);
}

Account read_account(const Statement& row) {
  Account out;
  BudgetLimits& limits = out.limits;
  row.read(out.run, out.parent, out.agent, out.version, out.depth, out.budgeted, limits.tokens, limits.money,
           limits.calls, limits.tool_calls, limits.depth, limits.deadline, limits.park);
  constexpr int kBehindLimits = 13;
  read_total(row, kBehindLimits, out.used);
  row.read_from(kBehindLimits + kTotalColumns, out.reserved.tokens, out.reserved.money, out.reserved.calls,
                out.waiting_on, out.at);
  return out;
}

constexpr int kAccountColumns = 29;

}  // namespace

// ---- usage

Result<bool> PostgresLedgerRows::has_usage(std::string_view key) {
  Statement query(db, "SELECT 1::bigint FROM usage WHERE key = $1");
  Result<std::optional<bool>> found = query.bind(key).one([](const Statement&) { return true; });
  if (!found) return fail(found.error());
  return found->has_value();
}

Result<bool> PostgresLedgerRows::insert_usage_row(const Usage& usage, WallTime now) {
  Statement insert(db, "INSERT INTO usage (" USAGE_COLUMNS ") VALUES (" USAGE_VALUES
                       ") ON CONFLICT DO NOTHING RETURNING 1::bigint");
  insert.bind(usage.key, usage.run, usage.agent, usage.provider, usage.model, usage.input_tokens,
              usage.output_tokens, usage.cached_input_tokens, now, usage.version, usage.tool,
              usage.cache_write_tokens, usage.reasoning_tokens, usage.cost, usage.price_as_of,
              usage.uncounted);
  Result<std::optional<bool>> inserted = insert.one([](const Statement&) { return true; });
  if (!inserted) return fail(inserted.error());
  return inserted->has_value();
}

Status PostgresLedgerRows::add_to_day(const Usage& usage, WallTime now) {
#define PLUS(column) #column " = usage_days." #column " + excluded." #column ", "
  Statement insert(
      db, "INSERT INTO usage_days (day, agent, version, provider, model, tool, " TOTAL_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) "
          "ON CONFLICT (day, agent, version, provider, model, tool) DO UPDATE SET " PLUS(calls) PLUS(tool_calls)
              PLUS(input_tokens) PLUS(output_tokens) PLUS(cached_input_tokens) PLUS(cache_write_tokens)
                  PLUS(reasoning_tokens) PLUS(cost) PLUS(unpriced_calls) PLUS(uncounted_calls)
          "price_as_of = CASE WHEN excluded.price_as_of = '' OR (usage_days.price_as_of <> '' AND "
          "usage_days.price_as_of < excluded.price_as_of) THEN usage_days.price_as_of ELSE "
          "excluded.price_as_of END");
#undef PLUS
  UsageTotal one;
  rules::add_usage(one, usage);
  insert.bind(rules::day_of(now), usage.agent, usage.version, usage.provider, usage.model, usage.tool);
  bind_total(insert, one);
  return insert.run();
}

Result<UsageTotal> PostgresLedgerRows::usage_of(std::string_view run) {
#define SUM(column) "coalesce(sum(" #column "), 0)::bigint, "
  Statement query(db,
                  "SELECT count(*) FILTER (WHERE tool = ''), count(*) FILTER (WHERE tool <> ''), " SUM(
                      input_tokens) SUM(output_tokens) SUM(cached_input_tokens) SUM(cache_write_tokens)
                      SUM(reasoning_tokens) SUM(cost)
                  "count(*) FILTER (WHERE tool = '' AND cost IS NULL), count(*) FILTER (WHERE uncounted <> 0), "
                  "coalesce(min(convert_from(nullif(price_as_of, ''), 'UTF8')), '') FROM usage WHERE run = $1");
#undef SUM
  Result<std::optional<UsageTotal>> total = query.bind(run).one([](const Statement& row) {
    UsageTotal out;
    read_total(row, 0, out);
    return out;
  });
  if (!total) return fail(total.error());
  return total->value_or(UsageTotal());
}

// ---- accounts

Result<std::optional<Account>> PostgresLedgerRows::find_account(std::string_view run) {
  Statement query(db, "SELECT " ACCOUNT_COLUMNS " FROM accounts WHERE run = $1");
  return query.bind(run).one(read_account);
}

Status PostgresLedgerRows::insert_account(const Account& account) {
  Statement write(
      db, "INSERT INTO accounts (" ACCOUNT_COLUMNS ") VALUES (" ACCOUNT_VALUES
          ") ON CONFLICT (run) DO UPDATE SET "
          "limit_tokens = excluded.limit_tokens, limit_money = excluded.limit_money, limit_calls = "
          "excluded.limit_calls, limit_tool_calls = excluded.limit_tool_calls, limit_depth = "
          "excluded.limit_depth, deadline = excluded.deadline, calls = excluded.calls, tool_calls = "
          "excluded.tool_calls, input_tokens = excluded.input_tokens, output_tokens = "
          "excluded.output_tokens, cached_input_tokens = excluded.cached_input_tokens, "
          "cache_write_tokens = excluded.cache_write_tokens, reasoning_tokens = "
          "excluded.reasoning_tokens, cost = excluded.cost, unpriced_calls = excluded.unpriced_calls, "
          "uncounted_calls = excluded.uncounted_calls, price_as_of = excluded.price_as_of, "
          "reserved_tokens = excluded.reserved_tokens, reserved_money = excluded.reserved_money, "
          "reserved_calls = excluded.reserved_calls, waiting_on = excluded.waiting_on");
  bind_account(write, account);
  return write.run();
}

Status PostgresLedgerRows::update_account(const Account& account) {
  return insert_account(account);
}

Status PostgresLedgerRows::keep_as(const Account& account) {
  return keep_as_run(db, account.run, account.parent, account.at);
}

Result<std::vector<std::string>> PostgresLedgerRows::waiting_on(std::string_view run) {
  // Without its condition the index is none.
  Statement query(
      db, "SELECT run FROM accounts WHERE waiting_on = $1 AND waiting_on <> '' ORDER BY run LIMIT 1000");
  return query.bind(run).all([](const Statement& row) { return row.text(0); });
}

// ---- reservations

Result<std::optional<Reservation>> PostgresLedgerRows::find_reservation(std::string_view key) {
  Statement query(db, "SELECT " RESERVATION_COLUMNS " FROM reservations WHERE key = $1");
  return query.bind(key).one([](const Statement& row) {
    Reservation out;
    row.read(out.key, out.run, out.most.tokens, out.most.money, out.most.calls, out.at);
    return out;
  });
}

Status PostgresLedgerRows::insert_reservation(const Reservation& row) {
  Statement insert(db, "INSERT INTO reservations (" RESERVATION_COLUMNS ") VALUES (" RESERVATION_VALUES ")");
  return insert.bind(row.key, row.run, row.most.tokens, row.most.money, row.most.calls, row.at).run();
}

Status PostgresLedgerRows::delete_reservation(std::string_view key) {
  Statement erase(db, "DELETE FROM reservations WHERE key = $1");
  return erase.bind(key).run();
}

// ---- bills

Result<std::optional<Bill>> PostgresLedgerRows::find_bill(std::string_view run) {
  Statement query(db, "SELECT " BILL_COLUMNS " FROM bills WHERE run = $1");
  return query.bind(run).one([](const Statement& row) {
    Bill out;
    row.read(out.run, out.parent, out.agent, out.version, out.status, out.error_type);
    constexpr int kBehindWords = 6;
    read_total(row, kBehindWords, out.used);
    row.read_from(kBehindWords + kTotalColumns, out.unsettled_cost, out.begun_at, out.ended_at);
    return out;
  });
}

Status PostgresLedgerRows::insert_bill(const Bill& bill) {
  Statement insert(db, "INSERT INTO bills (" BILL_COLUMNS ") VALUES (" BILL_VALUES ")");
  insert.bind(bill.run, bill.parent, bill.agent, bill.version, bill.status, bill.error_type);
  bind_total(insert, bill.used);
  return insert.bind(bill.unsettled_cost, bill.begun_at, bill.ended_at).run();
}

// ---- lists

#define WAIT_FOR_IT "FROM accounts w WHERE w.waiting_on = accounts.run AND w.waiting_on <> ''::bytea"

Result<std::vector<BudgetRow>> list_budgets(postgres::Connection& db, const BudgetFilter& filter) {
  Result<std::int64_t> before =
      page_before(db, "SELECT at FROM accounts WHERE run = $1", filter.after, "run with a budget");
  if (!before) return fail(before.error());
  Statement query(
      db, "SELECT " ACCOUNT_COLUMNS
          ", coalesce((SELECT status FROM bills WHERE bills.run = accounts.run), ''::bytea), "
          "(SELECT count(*) " WAIT_FOR_IT
          ") FROM accounts WHERE (limit_tokens IS NOT NULL OR limit_money IS NOT NULL OR limit_calls IS NOT "
          "NULL OR limit_tool_calls IS NOT NULL OR limit_depth IS NOT NULL OR deadline IS NOT NULL) AND "
          "(at, run) < ($1::bigint, $2::bytea) AND ($3::bigint = 0 OR EXISTS (SELECT 1 " WAIT_FOR_IT
          ")) ORDER BY at DESC, run DESC LIMIT $4");
  return query.bind(*before, filter.after, filter.waiting ? 1 : 0, rules::page_size(filter.limit))
      .all([](const Statement& row) {
        BudgetRow out;
        out.account = read_account(row);
        row.read_from(kAccountColumns, out.status, out.waiting);
        return out;
      });
}

}  // namespace holdfast::platform
