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

ApprovalSpec cel_rules(std::vector<std::tuple<std::string, std::string, Action>> list) {
  ApprovalSpec out;
  out.terms.cel = true;
  for (auto& [tool, when, action] : list) {
    ApprovalRule rule;
    rule.tool = tool;
    rule.action = action;
    if (!when.empty()) rule.terms.cel = *spec::cel::Expression::parse(when, policy_functions());
    out.rules.push_back(std::move(rule));
  }
  return out;
}

TEST(Policy, ConditionsInCel) {
  const ApprovalSpec spec =
      cel_rules({{"refund", "args.amount > 100.0 && args.to.endsWith('@x.de')", Action::kAsk},
                 {"refund", "tool == 'refund' && args.amount <= 20", Action::kAllow},
                 {"*", "", Action::kDeny}});
  EXPECT_EQ(check_policy(spec, "refund", {{"amount", 180}, {"to", "a@x.de"}}).action, Action::kAsk);
  EXPECT_EQ(check_policy(spec, "refund", {{"amount", 180}, {"to", "a@y.de"}}).action, Action::kDeny);
  EXPECT_EQ(check_policy(spec, "refund", {{"amount", 5}, {"to", "a"}}).action, Action::kAllow);
  // An error is a match for those that ask or deny, and none for those that allow.
  const Ruling doubt = check_policy(spec, "refund", {{"amount", 180}});
  EXPECT_EQ(doubt.action, Action::kAsk);
  EXPECT_EQ(doubt.rule, "rules[0]");
  EXPECT_EQ(check_policy(cel_rules({{"refund", "args.amount < 1", Action::kAllow}, {"*", "", Action::kAsk}}),
                         "refund", {{"amount", "1"}})
                .action,
            Action::kAsk);
}

TEST(Policy, WhatIsNotKnownOfTheRunIsDoubt) {
  const ApprovalSpec spec = cel_rules({{"mail", "!calls('check').exists(c, c.ok)", Action::kDeny}});
  EXPECT_TRUE(reads_history(spec, "mail"));
  EXPECT_FALSE(reads_history(spec, "check"));
  EXPECT_EQ(watched_tools(spec), std::vector<std::string>{"check"});
  // Asked before the call is made, the rule is passed over.
  EXPECT_EQ(check_policy(spec, "mail", Json::object()).action, Action::kAllow);
  PolicyFacts facts;
  facts.calls = [](const std::string&) { return std::vector<MadeCall>(); };
  EXPECT_EQ(check_policy(spec, "mail", Json::object(), facts).action, Action::kDeny);
  facts.calls = [](const std::string&) { return std::vector{MadeCall{"check", Json::object(), 1, 2, true}}; };
  EXPECT_EQ(check_policy(spec, "mail", Json::object(), facts).action, Action::kAllow);
  facts.calls = [](const std::string&) -> std::expected<std::vector<MadeCall>, std::string> {
    return std::unexpected("too many");
  };
  EXPECT_EQ(check_policy(spec, "mail", Json::object(), facts).action, Action::kDeny);
}

TEST(Policy, WhatIsTriedDecidesNothing) {
  ApprovalSpec spec = rules({{"refund", "amount > 500", Action::kDeny},
                             {"refund", "amount > 100", Action::kAsk},
                             {"refund", "", Action::kAllow}});
  spec.rules[0].terms.shadow = true;
  const Ruling tried = check_policy(spec, "refund", {{"amount", 900}});
  EXPECT_EQ(tried.action, Action::kAsk);
  ASSERT_TRUE(tried.shadow.has_value());
  EXPECT_EQ(tried.shadow->action, Action::kDeny);
  EXPECT_EQ(tried.shadow->rule, "rules[0]");
  EXPECT_FALSE(check_policy(spec, "refund", {{"amount", 200}}).shadow.has_value());
  spec.terms.shadow = true;
  spec.fallback = Action::kDeny;
  EXPECT_EQ(check_policy(spec, "other", Json::object()).action, Action::kAllow);
  EXPECT_EQ(check_policy(spec, "other", Json::object()).shadow->action, Action::kDeny);
  EXPECT_EQ(check_policy(spec, "refund", {{"amount", 200}}).shadow->action, Action::kAsk);
}

}  // namespace
}  // namespace holdfast::agent
