#include "platform/budget_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/iso_time.h"
#include "base/money.h"

namespace holdfast::platform {

namespace {

constexpr std::array<std::string_view, 6> kBudgets = {"tokens",     "money", "calls",
                                                      "tool_calls", "depth", "wall_time"};
constexpr std::array<std::string_view, 5> kUsageBy = {"agent", "model", "version", "tool", "day"};
constexpr std::string_view kRefusalDetail = "holdfast/budget-refusal";

}  // namespace

std::string_view to_string(Budget budget) {
  return kBudgets[static_cast<std::size_t>(budget)];
}

std::string_view to_string(UsageBy by) {
  return kUsageBy[static_cast<std::size_t>(by)];
}

std::optional<UsageBy> usage_by(std::string_view word) {
  const auto found = std::ranges::find(kUsageBy, word);
  if (found == kUsageBy.end()) return std::nullopt;
  return static_cast<UsageBy>(found - kUsageBy.begin());
}

// The detail: budget, whether it is unpriced, whether to park, then the run.
std::optional<Refusal> refusal_of(const Status& status) {
  for (const StatusDetail& detail : status.details()) {
    if (detail.type_url != kRefusalDetail || detail.value.size() < 3) continue;
    Refusal out;
    out.budget = static_cast<Budget>(detail.value[0]);
    out.unpriced = detail.value[1] != 0;
    out.park = detail.value[2] != 0;
    out.run = detail.value.substr(3);
    out.message = status.message();
    return out;
  }
  return std::nullopt;
}

}  // namespace holdfast::platform

namespace holdfast::platform::rules {

namespace {

constexpr std::int64_t kMaxQuantity = std::int64_t{1} << 53;

std::string said(Budget budget, std::int64_t amount) {
  return budget == Budget::kMoney ? format_dollars(amount) + " USD" : std::to_string(amount);
}

Refusal refusal(const Account& owner, Budget budget, std::string message) {
  Refusal out;
  out.budget = budget;
  out.run = owner.run;
  out.park = owner.limits.park;
  out.message = std::move(message);
  return out;
}

std::string_view flag_of(Budget budget) {
  switch (budget) {
    case Budget::kTokens: return "--tokens";
    case Budget::kMoney: return "--money";
    case Budget::kCalls: return "--calls";
    case Budget::kToolCalls: return "--tool-calls";
    case Budget::kDepth: return "--depth";
    case Budget::kWallTime: return "--wall-time";
  }
  return "";
}

std::optional<Refusal> over(const Account& owner, Budget budget, std::optional<std::int64_t> limit,
                            std::int64_t spent, std::int64_t held, std::int64_t wanted) {
  if (!limit || wanted == 0) return std::nullopt;
  const std::int64_t taken = saturating_add(saturating_add(spent, held), wanted);
  if (taken <= *limit) return std::nullopt;
  std::string message = fmt::format("BudgetExceeded: the budget `{}` of run {} is {}; {} of it is used",
                                    to_string(budget), owner.run, said(budget, *limit), said(budget, spent));
  if (held > 0) message += fmt::format(", {} is held for calls that are not settled", said(budget, held));
  message += fmt::format(", and the next call may take {}. Raise it with: holdfast budget {} {}",
                         said(budget, wanted), owner.run, flag_of(budget));
  return refusal(owner, budget, std::move(message));
}

std::optional<Refusal> too_late(const Account& owner, WallTime now) {
  if (!owner.limits.deadline || now < *owner.limits.deadline) return std::nullopt;
  return refusal(
      owner, Budget::kWallTime,
      fmt::format("BudgetExceeded: the budget `wall_time` of run {} was used up at {}. Raise it with: "
                  "holdfast budget {} --wall-time",
                  owner.run, iso_time(*owner.limits.deadline), owner.run));
}

Refusal unpriced(const Account& owner, std::string_view model, WallTime) {
  Refusal out =
      refusal(owner, Budget::kMoney,
              fmt::format("the price of model {} is not known, and run {} has a budget of money: start the "
                          "server with --prices FILE that has it, name a model that has a price, or take "
                          "`money` out of spec.budgets",
                          model, owner.run));
  out.unpriced = true;
  out.park = false;  // waiting for money would not help
  return out;
}

template <typename T>
Status raise_one(Budget budget, std::optional<T>& stored, const std::optional<T>& wanted) {
  if (!wanted) return {};
  if (!stored) {
    return {Code::kInvalidArgument,
            fmt::format("the run has no budget `{}`: there is nothing to raise", to_string(budget))};
  }
  if (*wanted < *stored) {
    return {Code::kInvalidArgument,
            fmt::format("the budget `{}` is more than that already: it can be raised, not lowered",
                        to_string(budget))};
  }
  stored = wanted;
  return {};
}

}  // namespace

Result<Account> open_account(const AccountOpening& opening, const std::vector<Account>& above, WallTime now) {
  Account out;
  out.run = opening.run;
  out.parent = opening.parent;
  out.agent = opening.agent;
  out.version = opening.version;
  out.limits = opening.limits;
  out.at = now;
  out.depth = above.empty() ? 0 : above.front().depth + 1;
  out.budgeted = opening.limits.any() || (!above.empty() && above.front().budgeted);
  for (const Account& one : above) {
    if (one.limits.depth && out.depth - one.depth > *one.limits.depth) {
      return fail(refused(refusal(
          one, Budget::kDepth,
          fmt::format(
              "BudgetExceeded: the budget `depth` of run {} is {}, and {} would be deeper. Raise it with: "
              "holdfast budget {} --depth",
              one.run, *one.limits.depth, opening.run, one.run))));
    }
    if (auto late = too_late(one, now)) return fail(refused(*late));
    if (one.limits.money && opening.model_without_price)
      return fail(refused(unpriced(one, *opening.model_without_price, now)));
  }
  if (out.limits.money && opening.model_without_price)
    return fail(refused(unpriced(out, *opening.model_without_price, now)));
  return out;
}

std::optional<Refusal> refuse(const std::vector<Account>& chain, const Reservation& wanted,
                              std::int64_t tool_calls, WallTime now) {
  for (const Account& one : chain) {
    const BudgetLimits& limits = one.limits;
    const Quantity& held = one.reserved;
    const bool of_model = tool_calls == 0;
    if (of_model && limits.money && !wanted.priced) return unpriced(one, wanted.model, now);
    if (auto late = too_late(one, now)) return late;
    const std::int64_t tokens = saturating_add(one.used.input_tokens, one.used.output_tokens);
    if (auto full = over(one, Budget::kTokens, limits.tokens, tokens, held.tokens, wanted.most.tokens))
      return full;
    if (auto full = over(one, Budget::kMoney, limits.money, one.used.cost, held.money, wanted.most.money))
      return full;
    if (auto full = over(one, Budget::kCalls, limits.calls, one.used.calls, held.calls, wanted.most.calls))
      return full;
    if (auto full = over(one, Budget::kToolCalls, limits.tool_calls, one.used.tool_calls, 0, tool_calls))
      return full;
  }
  return std::nullopt;
}

void add_usage(UsageTotal& total, const Usage& usage) {
  UsageTotal one;
  const bool of_model = usage.tool.empty();
  one.calls = of_model ? 1 : 0;
  one.tool_calls = of_model ? 0 : 1;
  one.input_tokens = usage.input_tokens;
  one.output_tokens = usage.output_tokens;
  one.cached_input_tokens = usage.cached_input_tokens;
  one.cache_write_tokens = usage.cache_write_tokens;
  one.reasoning_tokens = usage.reasoning_tokens;
  one.cost = usage.cost.value_or(0);
  one.unpriced_calls = of_model && !usage.cost ? 1 : 0;
  one.uncounted_calls = of_model && usage.uncounted ? 1 : 0;
  one.price_as_of = usage.price_as_of;
  add_total(total, one);
}

void add_total(UsageTotal& total, const UsageTotal& other) {
  const auto add = [](std::int64_t& to, std::int64_t more) { to = saturating_add(to, more); };
  add(total.calls, other.calls);
  add(total.tool_calls, other.tool_calls);
  add(total.input_tokens, other.input_tokens);
  add(total.output_tokens, other.output_tokens);
  add(total.cached_input_tokens, other.cached_input_tokens);
  add(total.cache_write_tokens, other.cache_write_tokens);
  add(total.reasoning_tokens, other.reasoning_tokens);
  add(total.cost, other.cost);
  add(total.unpriced_calls, other.unpriced_calls);
  add(total.uncounted_calls, other.uncounted_calls);
  if (total.price_as_of.empty() || (!other.price_as_of.empty() && other.price_as_of < total.price_as_of))
    total.price_as_of = other.price_as_of;
}

void hold(Account& account, const Quantity& held) {
  account.reserved.tokens = saturating_add(account.reserved.tokens, held.tokens);
  account.reserved.money = saturating_add(account.reserved.money, held.money);
  account.reserved.calls = saturating_add(account.reserved.calls, held.calls);
}

void let_go(Account& account, const Quantity& held) {
  account.reserved.tokens = std::max<std::int64_t>(0, account.reserved.tokens - held.tokens);
  account.reserved.money = std::max<std::int64_t>(0, account.reserved.money - held.money);
  account.reserved.calls = std::max<std::int64_t>(0, account.reserved.calls - held.calls);
}

Status check_reservation(const Reservation& wanted) {
  if (Status status = check_name("a reservation", wanted.key); !status.ok()) return status;
  for (const std::int64_t amount : {wanted.most.tokens, wanted.most.calls}) {
    if (amount < 0 || amount > kMaxQuantity)
      return {Code::kInvalidArgument, "a reservation is of no such number"};
  }
  if (wanted.most.money < 0) return {Code::kInvalidArgument, "a reservation is of no such amount"};
  return {};
}

Result<Account> raise(const Account& account, const Raise& wanted) {
  Account out = account;
  BudgetLimits limits = wanted.limits;
  limits.deadline.reset();
  if (wanted.wall_time) limits.deadline = account.at + *wanted.wall_time;
  Status status = raise_one(Budget::kTokens, out.limits.tokens, limits.tokens);
  if (status.ok()) status = raise_one(Budget::kMoney, out.limits.money, limits.money);
  if (status.ok()) status = raise_one(Budget::kCalls, out.limits.calls, limits.calls);
  if (status.ok()) status = raise_one(Budget::kToolCalls, out.limits.tool_calls, limits.tool_calls);
  if (status.ok()) status = raise_one(Budget::kDepth, out.limits.depth, limits.depth);
  if (status.ok()) status = raise_one(Budget::kWallTime, out.limits.deadline, limits.deadline);
  if (!status.ok()) return fail(std::move(status));
  return out;
}

Bill finish_bill(const Bill& ended, const std::optional<Account>& account, const UsageTotal& own) {
  Bill out = ended;
  if (!account) {
    out.used = own;
    return out;
  }
  out.parent = account->parent;
  out.version = account->version;
  if (out.agent.empty()) out.agent = account->agent;
  out.used = account->used;
  out.unsettled_cost = account->reserved.money;
  out.begun_at = account->at;
  return out;
}

std::int64_t day_of(WallTime time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

Status refused(const Refusal& refusal) {
  std::string detail = {static_cast<char>(refusal.budget), static_cast<char>(refusal.unpriced),
                        static_cast<char>(refusal.park)};
  detail += refusal.run;
  return Status(Code::kFailedPrecondition, refusal.message)
      .with_detail(std::string(kRefusalDetail), std::move(detail));
}

}  // namespace holdfast::platform::rules
