// The rule of tool grants, as a table: which rows there are, who calls what, and whether he may.

#include "grant/tool_permits.h"

#include <gmock/gmock.h>

namespace holdfast::grant {
namespace {

using platform::GrantMode;
using platform::ToolGrant;
using testing::HasSubstr;

ToolGrant row(GrantMode mode, std::string agent, std::string team, std::string environment,
              std::vector<std::string> tools) {
  ToolGrant out;
  out.id = "g-" + std::to_string(tools.size()) + agent + team + environment;
  out.agent = std::move(agent);
  out.team = std::move(team);
  out.environment = std::move(environment);
  out.tools = std::move(tools);
  out.mode = mode;
  return out;
}

ToolGrant allow(std::string agent, std::string team, std::string environment,
                std::vector<std::string> tools) {
  return row(GrantMode::kAllow, std::move(agent), std::move(team), std::move(environment), std::move(tools));
}

ToolGrant deny(std::string agent, std::string team, std::string environment, std::vector<std::string> tools) {
  return row(GrantMode::kDeny, std::move(agent), std::move(team), std::move(environment), std::move(tools));
}

ToolScope scope(std::string agent, std::string team = "", std::string environment = "") {
  ToolScope out;
  out.agent = std::move(agent);
  out.team = std::move(team);
  out.environment = std::move(environment);
  return out;
}

TEST(ToolPermits, WhoMayCallWhat) {
  struct Case {
    const char* what;
    std::vector<ToolGrant> rows;
    ToolScope who;
    const char* tool;
    bool may;
  };
  const Case cases[] = {
      {"no row", {}, scope("a"), "look", true},
      {"a row of another agent", {allow("b", "*", "*", {"x"})}, scope("a"), "look", true},
      {"listed", {allow("a", "*", "*", {"look"})}, scope("a"), "look", true},
      {"not listed", {allow("a", "*", "*", {"look"})}, scope("a"), "refund", false},
      {"one row of several lists it",
       {allow("a", "*", "*", {"look"}), allow("*", "*", "*", {"refund"})},
       scope("a"),
       "refund",
       true},
      {"a row for everybody closes everybody", {allow("*", "*", "*", {"look"})}, scope("z"), "refund", false},
      {"deny", {deny("a", "*", "*", {"refund"})}, scope("a"), "refund", false},
      {"deny closes nothing else", {deny("a", "*", "*", {"refund"})}, scope("a"), "look", true},
      {"deny beats allow",
       {allow("a", "*", "*", {"*"}), deny("*", "*", "*", {"refund"})},
       scope("a"),
       "refund",
       false},
      {"the wider deny beats the narrower allow",
       {allow("a", "pay", "production", {"refund"}), deny("*", "*", "*", {"ref*"})},
       scope("a", "pay", "production"),
       "refund",
       false},
      {"a beginning", {allow("a", "*", "*", {"crm__*"})}, scope("a"), "crm__find", true},
      {"the beginning itself", {allow("a", "*", "*", {"crm__*"})}, scope("a"), "crm__", true},
      {"less than the beginning", {allow("a", "*", "*", {"crm__*"})}, scope("a"), "crm", false},
      {"every tool", {allow("a", "*", "*", {"*"})}, scope("a"), "anything", true},
      {"a name is not a beginning", {allow("a", "*", "*", {"crm"})}, scope("a"), "crm__find", false},
      {"its team", {allow("*", "pay", "*", {"look"})}, scope("a", "pay"), "refund", false},
      {"another team", {allow("*", "pay", "*", {"look"})}, scope("a", "hr"), "refund", true},
      {"no team", {allow("*", "pay", "*", {"look"})}, scope("a"), "refund", true},
      {"its environment", {deny("*", "*", "production", {"*"})}, scope("a", "", "production"), "look", false},
      {"another environment", {deny("*", "*", "production", {"*"})}, scope("a", "", "staging"), "look", true},
      {"no environment", {deny("*", "*", "production", {"*"})}, scope("a"), "look", true},
      {"all three have to fit",
       {deny("a", "pay", "production", {"look"})},
       scope("a", "pay", "staging"),
       "look",
       true},
      {"an agent that nobody knows fits rows for every one",
       {deny("*", "*", "*", {"look"})},
       scope(""),
       "look",
       false},
      {"and no others", {deny("a", "*", "*", {"look"})}, scope(""), "look", true},
      {"letters count", {allow("a", "*", "*", {"Look"})}, scope("a"), "look", false},
  };
  for (const Case& one : cases)
    EXPECT_EQ(!ToolPermits(one.rows, one.who).refusal(one.tool), one.may) << one.what;
}

TEST(ToolPermits, ARefusalSaysWhatIsMissingOrWhichRowItIs) {
  const ToolPermits closed({allow("a", "pay", "production", {"look"})}, scope("a", "pay", "production"));
  EXPECT_EQ(
      *closed.refusal("refund"),
      "the tool refund is not granted to the agent a of team pay in production; an admin grants it with "
      "`holdfast grant add --agent a --tool refund`");
  const ToolGrant row = deny("*", "*", "*", {"refund"});
  EXPECT_THAT(*ToolPermits({row}, scope("a")).refusal("refund"),
              HasSubstr("is denied to the agent a by the grant " + row.id));
}

TEST(ToolPermits, AreEmptyWhereNoRowFits) {
  EXPECT_TRUE(ToolPermits({allow("b", "*", "*", {"x"})}, scope("a")).empty());
  EXPECT_FALSE(ToolPermits({allow("a", "*", "*", {"x"})}, scope("a")).empty());
  EXPECT_FALSE(ToolPermits({deny("a", "*", "*", {"x"})}, scope("a")).empty());
}

}  // namespace
}  // namespace holdfast::grant
