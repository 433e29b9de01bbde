#pragma once

// What a store does within one transaction about accounts, reservations and usage (platform/calls.h says what
// `Rows` is). Those that the functions here name:
//
//   find_account(run), insert_account(account), update_account(account), keep_as(account), waiting_on(run)
//   find_reservation(key), insert_reservation(reservation), delete_reservation(key)
//   insert_usage_row(usage, at) -> Result<bool>: false when its key is there; add_to_day(usage, at)
//   find_bill(run), insert_bill(bill), usage_of(run), said_by(run), insert_audit(row)

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/audit_rules.h"
#include "platform/budget_rules.h"
#include "platform/step_rules.h"

namespace holdfast::platform::calls {

// The account of the run and those above it. Empty: the run began before there were accounts.
template <typename Rows>
Result<std::vector<Account>> chain_of(Rows& rows, std::string run) {
  std::vector<Account> out;
  while (!run.empty() && out.size() < rules::kLongestChain) {
    Result<std::optional<Account>> found = rows.find_account(run);
    if (!found) return fail(found.error());
    if (!*found) break;
    run = (*found)->parent;
    out.push_back(std::move(**found));
  }
  return out;
}

template <typename Rows>
Status update_all(Rows& rows, const std::vector<Account>& chain) {
  for (const Account& one : chain) {
    if (Status status = rows.update_account(one); !status.ok()) return status;
  }
  return {};
}

// A row of the ledger, once for its key, and what it adds up to.
template <typename Rows>
Status book(Rows& rows, const Usage& usage, WallTime now) {
  if (Status status = rules::check_usage(usage); !status.ok()) return status;
  Result<bool> inserted = rows.insert_usage_row(usage, now);
  if (!inserted) return inserted.error();
  if (!*inserted) return {};
  if (Status status = rows.add_to_day(usage, now); !status.ok()) return status;
  Result<std::vector<Account>> chain = chain_of(rows, usage.run);
  if (!chain) return chain.error();
  for (Account& one : *chain) rules::add_usage(one.used, usage);
  return update_all(rows, *chain);
}

template <typename Rows>
Status open_account(Rows& rows, const AccountOpening& opening, WallTime now) {
  Result<std::optional<Account>> stored = rows.find_account(opening.run);
  if (!stored) return stored.error();
  if (*stored) return {};
  Result<std::vector<Account>> above = chain_of(rows, opening.parent);
  if (!above) return above.error();
  Result<Account> account = rules::open_account(opening, *above, now);
  if (!account) return account.error();
  Status inserted = rows.insert_account(*account);
  return inserted.ok() && !account->parent.empty() ? rows.keep_as(*account) : inserted;
}

// Who waits says for whom, so that a raise finds it.
template <typename Rows>
Status note_waiting(Rows& rows, Account& own, std::string_view on) {
  if (own.waiting_on == on) return {};
  own.waiting_on = std::string(on);
  return rows.update_account(own);
}

// `books`: of a tool call, of which it is known before it is made what it counts.
template <typename Rows>
Result<Reserved> reserve(Rows rows, const Reservation& wanted, const std::optional<Usage>& books,
                         WallTime now) {
  Result<std::optional<Reservation>> before = rows.find_reservation(wanted.key);
  if (!before) return fail(before.error());
  Reserved out;
  if (*before) return out;
  if (books) {
    Result<bool> booked = rows.has_usage(books->key);
    if (!booked) return fail(booked.error());
    if (*booked) return out;
  }
  Result<std::vector<Account>> chain = chain_of(rows, wanted.run);
  if (!chain) return fail(chain.error());
  out.refused = rules::refuse(*chain, wanted, books ? 1 : 0, now);
  if (!chain->empty()) {
    const std::string on = out.refused && out.refused->park ? out.refused->run : std::string();
    if (Status status = note_waiting(rows, chain->front(), on); !status.ok()) return fail(std::move(status));
  }
  if (out.refused) return out;
  Status status;
  if (books) {
    status = book(rows, *books, now);
  } else {
    for (Account& one : *chain) rules::hold(one, wanted.most);
    status = update_all(rows, *chain);
    Reservation row = wanted;
    row.at = now;
    if (status.ok()) status = rows.insert_reservation(row);
  }
  if (!status.ok()) return fail(std::move(status));
  return out;
}

// What was held is free; what was used is booked by then. A reservation that is not there was settled.
template <typename Rows>
Status settle(Rows& rows, std::string_view key) {
  Result<std::optional<Reservation>> stored = rows.find_reservation(key);
  if (!stored) return stored.error();
  if (!*stored) return {};
  Result<std::vector<Account>> chain = chain_of(rows, (*stored)->run);
  if (!chain) return chain.error();
  for (Account& one : *chain) rules::let_go(one, (*stored)->most);
  if (Status status = update_all(rows, *chain); !status.ok()) return status;
  return rows.delete_reservation(key);
}

template <typename Rows>
Result<Raised> raise(Rows rows, const Raise& wanted, WallTime now) {
  Result<std::optional<Account>> stored = rows.find_account(wanted.run);
  if (!stored) return fail(stored.error());
  if (!*stored) return fail(Code::kNotFound, "there is no account of run " + wanted.run);
  Result<Account> account = rules::raise(**stored, wanted);
  if (!account) return fail(account.error());
  if (Status status = rows.update_account(*account); !status.ok()) return fail(std::move(status));
  AuditRow row = rules::audit_of_raise(wanted);
  row.at = now;
  if (Status status = rows.insert_audit(row); !status.ok()) return fail(std::move(status));
  Result<std::vector<std::string>> waiting = rows.waiting_on(wanted.run);
  if (!waiting) return fail(waiting.error());
  Raised out;
  out.account = *std::move(account);
  out.waiting = *std::move(waiting);
  return out;
}

// The first stands.
template <typename Rows>
Result<Bill> write_bill(Rows rows, const Bill& ended, WallTime now) {
  Result<std::optional<Bill>> stored = rows.find_bill(ended.run);
  if (!stored) return fail(stored.error());
  if (*stored) return std::move(**stored);
  Result<std::optional<Account>> account = rows.find_account(ended.run);
  if (!account) return fail(account.error());
  UsageTotal own;
  if (!*account) {
    Result<UsageTotal> used = rows.usage_of(ended.run);
    if (!used) return fail(used.error());
    own = *used;
  }
  Bill bill = rules::finish_bill(ended, *account, own);
  if (Status status = rows.insert_bill(bill); !status.ok()) return fail(std::move(status));
  Result<std::optional<rules::RunSaid>> said = rows.said_by(bill.run);
  if (!said) return fail(said.error());
  AuditRow row = rules::audit_of_end(bill, *said);
  row.at = now;
  if (Status status = rows.insert_audit(row); !status.ok()) return fail(std::move(status));
  return bill;
}

}  // namespace holdfast::platform::calls
