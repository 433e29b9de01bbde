// Goal: the narrowest budget decides, whoever stands below it, and numbers at their ends do not wrap. Method:
// the pure rules, on chains made by hand.

#include "platform/budget_rules.h"

#include <gmock/gmock.h>

#include <limits>

namespace holdfast::platform {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

Account account(const std::string& run) {
  Account out;
  out.run = run;
  return out;
}

Reservation wanting(std::int64_t money) {
  Reservation out;
  out.key = "k";
  out.most.money = money;
  out.most.tokens = 1;
  out.most.calls = 1;
  out.priced = true;
  return out;
}

TEST(BudgetRules, TheNarrowestBudgetOfTheChainDecides) {
  Account own = account("own");
  own.limits.money = 100;
  Account above = account("above");
  above.limits.money = 50;
  above.used.cost = 30;
  above.reserved.money = 15;
  EXPECT_FALSE(rules::refuse({own, above}, wanting(5), 0, {}));
  const auto refused = rules::refuse({own, above}, wanting(6), 0, {});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->run, "above");
  EXPECT_THAT(refused->message, HasSubstr("`money` of run above is 0.00000005 USD"));
  EXPECT_EQ(rules::refuse({own, above}, wanting(101), 0, {})->run, "own");
}

TEST(BudgetRules, NumbersAtTheirEndsDoNotWrap) {
  Account own = account("own");
  own.limits.money = kMost - 1;
  own.used.cost = kMost - 2;
  EXPECT_FALSE(rules::refuse({own}, wanting(1), 0, {}));
  EXPECT_TRUE(rules::refuse({own}, wanting(kMost), 0, {}));
  rules::hold(own, wanting(kMost).most);
  rules::hold(own, wanting(kMost).most);
  EXPECT_EQ(own.reserved.money, kMost);
  rules::let_go(own, wanting(kMost).most);
  rules::let_go(own, wanting(kMost).most);
  EXPECT_EQ(own.reserved.money, 0);
  UsageTotal total;
  total.cost = kMost;
  rules::add_total(total, total);
  EXPECT_EQ(total.cost, kMost);
}

TEST(BudgetRules, ACallOfAToolIsNoCallOfAModel) {
  Account own = account("own");
  own.limits.money = 0;
  own.limits.calls = 0;
  own.limits.tool_calls = 1;
  Reservation call;
  call.key = "t";
  EXPECT_FALSE(rules::refuse({own}, call, 1, {})) << "neither priced nor a call of a model";
  own.used.tool_calls = 1;
  EXPECT_EQ(rules::refuse({own}, call, 1, {})->budget, Budget::kToolCalls);
}

TEST(BudgetRules, ARefusalTravelsInAStatus) {
  Refusal refusal;
  refusal.budget = Budget::kWallTime;
  refusal.run = "r";
  refusal.park = true;
  refusal.message = "why";
  const auto back = refusal_of(rules::refused(refusal));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->budget, Budget::kWallTime);
  EXPECT_EQ(back->run, "r");
  EXPECT_TRUE(back->park);
  EXPECT_FALSE(back->unpriced);
  EXPECT_EQ(back->message, "why");
  EXPECT_FALSE(refusal_of(Status(Code::kFailedPrecondition, "another")));
}

TEST(BudgetRules, TheOldestPriceIsSaid) {
  UsageTotal total;
  UsageTotal other;
  rules::add_total(total, other);
  EXPECT_EQ(total.price_as_of, "");
  other.price_as_of = "2026-11-02";
  rules::add_total(total, other);
  other.price_as_of = "2026-11-01";
  rules::add_total(total, other);
  other.price_as_of = "";
  rules::add_total(total, other);
  EXPECT_EQ(total.price_as_of, "2026-11-01");
}

}  // namespace
}  // namespace holdfast::platform
