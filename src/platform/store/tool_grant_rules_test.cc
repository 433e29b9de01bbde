// What a row of tool grants may hold, what it is called, and which one stands for another. A table each.

#include "platform/tool_grant_rules.h"

#include <gmock/gmock.h>

namespace holdfast::platform {
namespace {

ToolGrant row_of(std::string agent, std::string team, std::string environment,
                 std::vector<std::string> tools) {
  ToolGrant out;
  out.namespace_name = "default";
  out.agent = std::move(agent);
  out.team = std::move(team);
  out.environment = std::move(environment);
  out.tools = std::move(tools);
  out.set_by = "ada";
  return out;
}

TEST(ToolGrantRules, ARowNamesWhatThereCanBe) {
  struct Case {
    ToolGrant row;
    bool fine;
  };
  const Case cases[] = {
      {row_of("refunds", "*", "*", {"look"}), true},
      {row_of("*", "pay.ments_1", "production", {"*", "crm__*", "issue-refund"}), true},
      {row_of("", "*", "*", {"look"}), false},
      {row_of("two words", "*", "*", {"look"}), false},
      {row_of("flow:refund", "*", "*", {"pay"}), true},
      {row_of("flow:", "*", "*", {"pay"}), false},
      {row_of("agent:refund", "*", "*", {"pay"}), false},
      {row_of("refund*", "*", "*", {"look"}), false},
      {row_of("*", "", "*", {"look"}), false},
      {row_of("*", "a/b", "*", {"look"}), false},
      {row_of("*", "*", "", {"look"}), false},
      {row_of("*", "*", "Production", {"look"}), false},
      {row_of("*", "*", "3fa9c1", {"look"}), false},
      {row_of("*", "*", "*", {}), false},
      {row_of("*", "*", "*", {""}), false},
      {row_of("*", "*", "*", {"a*b"}), false},
      {row_of("*", "*", "*", {"**"}), false},
      {row_of("*", "*", "*", std::vector<std::string>(rules::kMaxToolsOfGrant + 1, "look")), false},
      {row_of("*", "*", "*", {std::string(65, 'x')}), false},
  };
  for (const Case& one : cases) {
    const Status status = rules::check_tool_grant(one.row);
    EXPECT_EQ(status.ok(), one.fine) << one.row.agent << " " << one.row.team << " " << one.row.environment
                                     << ": " << status.to_string();
  }
  ToolGrant long_reason = row_of("*", "*", "*", {"look"});
  long_reason.reason = std::string(rules::kMaxGrantReason + 1, 'x');
  EXPECT_FALSE(rules::check_tool_grant(long_reason).ok());
  ToolGrant nobodys = row_of("*", "*", "*", {"look"});
  nobodys.set_by = "";
  EXPECT_FALSE(rules::check_tool_grant(nobodys).ok());
}

TEST(ToolGrantRules, WhoSaysTheSameMeansTheSameRow) {
  ToolGrant one = row_of("refunds", "*", "*", {"b", "a"});
  ToolGrant same = row_of("refunds", "*", "*", {"a", "b", "a"});
  same.reason = "another one";
  same.set_by = "bob";
  EXPECT_EQ(rules::tool_grant_id(one), rules::tool_grant_id(same));
  ToolGrant deny = one;
  deny.mode = GrantMode::kDeny;
  ToolGrant team = one;
  team.team = "payments";
  ToolGrant elsewhere = one;
  elsewhere.namespace_name = "shop";
  for (const ToolGrant& other : {deny, team, elsewhere, row_of("refunds", "*", "*", {"a"})})
    EXPECT_NE(rules::tool_grant_id(one), rules::tool_grant_id(other));
}

TEST(ToolGrantRules, AWiderScopeCoversANarrowerOne) {
  const ToolGrant all = row_of("*", "*", "*", {"x"});
  const ToolGrant agent = row_of("refunds", "*", "*", {"x"});
  const ToolGrant narrow = row_of("refunds", "payments", "production", {"x"});
  const ToolGrant other = row_of("refunds", "payments", "staging", {"x"});
  EXPECT_TRUE(rules::covers(all, narrow));
  EXPECT_TRUE(rules::covers(agent, narrow));
  EXPECT_TRUE(rules::covers(narrow, narrow));
  EXPECT_FALSE(rules::covers(narrow, agent));
  EXPECT_FALSE(rules::covers(narrow, other));
  EXPECT_FALSE(rules::covers(agent, all));
}

TEST(ToolGrantRules, ToolsComeBackFromTheirText) {
  const std::vector<std::string> tools = {"a", "crm__*"};
  EXPECT_EQ(rules::tools_of(rules::tools_text(tools)), tools);
  EXPECT_THAT(rules::tools_of("no list"), testing::IsEmpty());
}

TEST(ToolGrantRules, TheRecordHasWhatARowSays) {
  ToolGrant row = row_of("refunds", "*", "production", {"look"});
  row.id = rules::tool_grant_id(row);
  row.reason = "incident 12";
  const AuditRow said = rules::audit_of_grant(row, kGrantRevoked, "bob");
  EXPECT_EQ(said.actor, "bob");
  EXPECT_EQ(said.subject, row.id);
  EXPECT_EQ(said.detail,
            R"({"agent":"refunds","environment":"production","mode":"allow","namespace":"default",)"
            R"("reason":"incident 12","team":"*","tools":["look"]})");
}

}  // namespace
}  // namespace holdfast::platform
