// Goal: no call passes an approval rule by leaving an argument out or sending another type. Method: rule
// lists against calls.

#include <gtest/gtest.h>

#include "agent/policy.h"

namespace holdfast::agent {
namespace {

ApprovalSpec rules(std::vector<std::tuple<std::string, std::string, Action>> list) {
  ApprovalSpec out;
  for (auto& [tool, when, action] : list) {
    ApprovalRule rule;
    rule.tool = tool;
    rule.action = action;
    if (!when.empty()) rule.when = *spec::Condition::parse(when);
    out.rules.push_back(std::move(rule));
  }
  return out;
}

TEST(Policy, FirstMatchDecides) {
  ApprovalSpec spec = rules({{"refund", "amount > 5000", Action::kDeny},
                             {"refund", "amount > 100", Action::kAsk},
                             {"delete", "", Action::kAsk}});
  EXPECT_EQ(check_policy(spec, "refund", {{"amount", 50}}).action, Action::kAllow);
  EXPECT_EQ(check_policy(spec, "refund", {{"amount", 180}}).action, Action::kAsk);
  EXPECT_EQ(check_policy(spec, "refund", {{"amount", 9000}}).action, Action::kDeny);
  EXPECT_EQ(check_policy(spec, "delete", Json::object()).action, Action::kAsk);
  EXPECT_EQ(check_policy(spec, "other", Json::object()).action, Action::kAllow);
  spec.fallback = Action::kDeny;
  EXPECT_EQ(check_policy(spec, "other", Json::object()).action, Action::kDeny);
}

TEST(Policy, ARuleMayBeOfAllToolsOfAServer) {
  const ApprovalSpec spec =
      rules({{"tickets__search", "", Action::kAllow}, {"tickets__*", "", Action::kAsk}});
  EXPECT_EQ(check_policy(spec, "tickets__search", Json::object()).action, Action::kAllow);
  EXPECT_EQ(check_policy(spec, "tickets__create", Json::object()).action, Action::kAsk);
  EXPECT_EQ(check_policy(spec, "tickets", Json::object()).action, Action::kAllow);
  EXPECT_EQ(check_policy(spec, "other__create", Json::object()).action, Action::kAllow);
}

TEST(Policy, DoubtNeverLetsACallPass) {
  ApprovalSpec asks = rules({{"refund", "amount > 100", Action::kAsk}});
  EXPECT_EQ(check_policy(asks, "refund", Json::object()).action, Action::kAsk);
  EXPECT_EQ(check_policy(asks, "refund", {{"amount", "1"}}).action, Action::kAsk);
  ApprovalSpec denies = rules({{"pay", "account in [\"111\"]", Action::kDeny}});
  EXPECT_EQ(check_policy(denies, "pay", {{"account", 111}}).action, Action::kDeny);
  EXPECT_EQ(check_policy(denies, "pay", {{"account", "222"}}).action, Action::kAllow);
  ApprovalSpec allows = rules({{"refund", "amount <= 100", Action::kAllow}, {"*", "", Action::kAsk}});
  EXPECT_EQ(check_policy(allows, "refund", Json::object()).action, Action::kAsk);
  EXPECT_EQ(check_policy(allows, "refund", {{"amount", 20}}).action, Action::kAllow);
}

}  // namespace
}  // namespace holdfast::agent
