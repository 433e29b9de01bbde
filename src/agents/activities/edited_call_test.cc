// Goal: an edit is judged as a model's call is. Method: one definition, a table of edits.

#include "activities/edited_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kPayer = R"(apiVersion: holdfast.dev/v1
kind: Agent
metadata: {name: payer}
spec:
  model: {provider: openai, name: m, base_url: http://127.0.0.1:1}
  prompt: p
  tools:
    - name: pay
      type: http
      effect: at_most_once
      parameters: {properties: {account: {type: integer}, amount: {type: number}}, required: [account]}
      http: {method: POST, url: http://127.0.0.1:2/pay}
  approvals:
    rules:
      - {tool: pay, when: account == 2512292042121000099, action: deny, reason: closed account}
      - {tool: pay, action: ask}
)";

EditedCall judged(std::string_view arguments) {
  const auto agent = parse_definition(kPayer, "agent.yaml");
  EXPECT_TRUE(agent) << agent.error().message();
  return rule_on_edit(*agent, "pay", arguments, Json(), WallTime());
}

TEST(EditedCall, SchemaAndPolicyDecide) {
  EXPECT_EQ(judged(R"({"amount":1,"account":2512292042121000001})").verdict, Verdict::kAllow);
  EXPECT_EQ(judged(R"({"amount":1,"account":7})").canonical, R"({"account":7,"amount":1})");
  const EditedCall denied = judged(R"({"account":2512292042121000099})");
  EXPECT_EQ(denied.verdict, Verdict::kDeny);
  EXPECT_THAT(denied.reason, HasSubstr("closed account"));
  for (const auto& [arguments, why] : {std::pair{R"({"account":"7"})", "`account` must be an integer"},
                                       {R"({})", "`account` is missing"},
                                       {R"({"account":123456789012345678901})", "no JSON object"},
                                       {"[1]", "no JSON object"}}) {
    const EditedCall wrong = judged(arguments);
    EXPECT_EQ(wrong.verdict, Verdict::kInvalid) << arguments;
    EXPECT_THAT(wrong.reason, HasSubstr(why));
  }
}

}  // namespace
}  // namespace holdfast::agent
