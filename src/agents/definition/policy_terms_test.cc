// Goal: what rules say of conditions in CEL, of shadow and of who decides is read, kept in its version and
// nowhere else, and a mistake in it is told where it stands; versions without it keep their grammar. Method:
// whole definitions, read and written again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string with(const std::string& approvals) {
  return "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n"
         "  model: {provider: openai, name: m}\n  prompt: p\n"
         "  tools:\n"
         "    - {name: pay, type: http, parameters: {properties: {amount: {type: number}}}, http: {url: "
         "'http://h/'}}\n"
         "  approvals:\n" +
         approvals;
}

std::string error_of(const std::string& approvals) {
  auto read = parse_definition(with(approvals), "agent.yaml");
  return read ? std::string() : std::string(read.error().message());
}

TEST(PolicyTerms, AreReadAndKeptInTheCanonicalForm) {
  auto read = parse_definition(with(R"(    language: cel
    mode: shadow
    on_expiry: fail
    rules:
      - {name: large, tool: pay, when: 'args.amount > 100.0 && calls("pay").size() < 3', action: ask, who: [cashier, 'user:Zoë M'],
         quorum: 2, four_eyes: true, escalate: [{after: 4h, to: [admin]}, {after: 2d, to: [board]}], on_expiry: approve, mode: shadow}
      - {tool: pay, when: tool == 'pay' && now > today, action: deny}
)"),
                               "agent.yaml");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  const ApprovalSpec& approvals = read->approvals;
  EXPECT_TRUE(approvals.terms.cel && approvals.terms.shadow && approvals.terms.fail_on_expiry);
  const RuleTerms& rule = approvals.rules[0].terms;
  EXPECT_EQ(rule.name, "large");
  EXPECT_TRUE(rule.cel && rule.shadow && rule.four_eyes);
  EXPECT_EQ(rule.quorum, 2);
  EXPECT_EQ(rule.who, (std::vector<std::string>{"cashier", "user:Zoë M"}));
  EXPECT_EQ(rule.escalate[1].after, std::chrono::hours(48));
  EXPECT_EQ(rule.on_expiry, OnExpiry::kApprove);
  EXPECT_FALSE(approvals.rules[0].when);
  const std::string canonical = canonical_json(*read);
  auto again = parse_definition(canonical, "stored");
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ(canonical_json(*again), canonical);
}

TEST(PolicyTerms, AbsentOnesLeaveNoTraceAndTheGrammarOfBefore) {
  auto read = parse_definition(
      with("    rules: [{tool: pay, when: 'amount > 100 and not (amount in [7])', action: ask}]\n"),
      "agent.yaml");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_TRUE(read->approvals.rules[0].when.has_value());
  EXPECT_FALSE(read->approvals.rules[0].terms.cel.has_value());
  const std::string canonical = canonical_json(*read);
  for (const char* key : {"language", "mode", "quorum", "who", "four_eyes", "escalate"})
    EXPECT_THAT(canonical, Not(HasSubstr("\"" + std::string(key) + "\"")));
}

TEST(PolicyTerms, MistakesAreTold) {
  for (auto [approvals, why] :
       {std::pair{"    language: cel\n    rules: [{tool: pay, when: amount > 1, action: ask}]\n",
                  "arguments are written args.amount"},
        {"    language: cel\n    rules: [{tool: pay, when: args.total > 1, action: ask}]\n", "total"},
        {"    language: cel\n    rules: [{tool: pay, when: args.amount >, action: ask}]\n", "at column 14"},
        {"    language: cel\n    rules: [{tool: pay, when: 'calls(tool).size() > 1', action: ask}]\n",
         "calls(\"refund\")"},
        {"    language: rego\n", "language"},
        {"    rules: [{tool: pay, action: deny, quorum: 2}]\n", "only a rule with `action: ask`"},
        {"    rules: [{tool: pay, action: ask, quorum: 0}]\n", "quorum"},
        {"    rules: [{tool: pay, action: ask, who: ['The Boss']}]\n", "name roles"},
        {"    rules: [{tool: pay, action: ask, escalate: [{after: 2h, to: [a]}, {after: 1h, to: [b]}]}]\n",
         "later than"},
        {"    rules: [{tool: pay, action: ask, escalate: [{to: [a]}]}]\n", "after"},
        {"    rules: [{name: x, tool: pay, action: ask}, {name: x, tool: pay, action: deny}]\n",
         "there is a rule `x`"}}) {
    EXPECT_THAT(error_of(approvals), HasSubstr(why)) << approvals;
  }
}

}  // namespace
}  // namespace holdfast::agent
