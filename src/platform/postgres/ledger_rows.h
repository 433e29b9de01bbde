#pragma once

// PostgresLedgerRows: usage, accounts, reservations and bills as rows, within one transaction: what
// platform/budget_calls.h asks of a database. Private to this room.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"
#include "platform/budget.h"
#include "platform/records.h"
#include "platform/run_index.h"
#include "postgres/connection.h"

namespace holdfast::platform {

struct PostgresLedgerRows {
  postgres::Connection& db;

  Result<bool> has_usage(std::string_view key);
  Result<bool> insert_usage_row(const Usage& usage, WallTime now);
  Status add_to_day(const Usage& usage, WallTime now);
  Result<UsageTotal> usage_of(std::string_view run);

  Result<std::optional<Account>> find_account(std::string_view run);
  Status insert_account(const Account& account);
  // As its parent is (docs/adr/0093).
  Status keep_as(const Account& account);
  Status update_account(const Account& account);
  Result<std::vector<std::string>> waiting_on(std::string_view run);

  Result<std::optional<Reservation>> find_reservation(std::string_view key);
  Status insert_reservation(const Reservation& row);
  Status delete_reservation(std::string_view key);

  Result<std::optional<Bill>> find_bill(std::string_view run);
  Status insert_bill(const Bill& bill);
};

// A page of accounts that have budgets.
Result<std::vector<BudgetRow>> list_budgets(postgres::Connection& db, const BudgetFilter& filter);

}  // namespace holdfast::platform
