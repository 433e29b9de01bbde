#pragma once

// Rules of accounts and budgets (platform/rules.h). A chain is a run's account and those above it, up to the
// root: what a run uses counts in each, and the narrowest budget decides.

#include <optional>
#include <string>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/budget.h"
#include "platform/records.h"
#include "platform/rules.h"

namespace holdfast::platform::rules {

// Accounts are not longer chained than agents may call each other; a store that says otherwise is damaged.
inline constexpr std::size_t kLongestChain = 16;

// FAILED_PRECONDITION with a refusal (refusal_of) when a budget above does not let it begin. `above`: the
// chain of the parent, empty for a root.
Result<Account> open_account(const AccountOpening& opening, const std::vector<Account>& above, WallTime now);

// Why a call may not be made. `tool_calls`: how many of them it is; a call of a model is none.
std::optional<Refusal> refuse(const std::vector<Account>& chain, const Reservation& wanted,
                              std::int64_t tool_calls, WallTime now);

void add_usage(UsageTotal& total, const Usage& usage);
void add_total(UsageTotal& total, const UsageTotal& other);
void hold(Account& account, const Quantity& held);
void let_go(Account& account, const Quantity& held);

Status check_reservation(const Reservation& wanted);
// INVALID_ARGUMENT when a limit is none that the account has, or lower than it is.
Result<Account> raise(const Account& account, const Raise& wanted);

// Of a run that has ended. `account` is empty for runs that began before there were accounts: `own` then says
// what is known.
Bill finish_bill(const Bill& ended, const std::optional<Account>& account, const UsageTotal& own);

std::int64_t day_of(WallTime time);

// A refusal as the detail of a Status, and back.
Status refused(const Refusal& refusal);

}  // namespace holdfast::platform::rules

namespace holdfast::platform {

// The budget that a failed call was refused by; none: it failed for another reason.
std::optional<Refusal> refusal_of(const Status& status);

}  // namespace holdfast::platform
