#pragma once

// The contract of tool grants (platform/contract.h): rows come back as they were written, in the order of
// their ids and of one namespace alone, each change with its audit row.

#include <gmock/gmock.h>

#include <string>

#include "platform/contract.h"
#include "platform/tool_grant_rules.h"

namespace holdfast::platform {

inline ToolGrant some_grant(std::string_view namespace_name, std::string_view agent,
                            std::vector<std::string> tools) {
  ToolGrant out;
  out.namespace_name = namespace_name;
  out.agent = agent;
  out.tools = rules::sorted_tools(std::move(tools));
  out.reason = "as agreed";
  out.set_by = "ada";
  out.set_at = WallTime(std::chrono::seconds(5));
  out.id = rules::tool_grant_id(out);
  return out;
}

TEST_P(StoreContract, AToolGrantIsAsItWasWrittenAndEachChangeSaysWho) {
  ToolGrant row = some_grant("shop", "refunds", {"look", "crm__*"});
  row.team = "payments";
  row.environment = "production";
  row.mode = GrantMode::kDeny;
  row.id = rules::tool_grant_id(row);
  ASSERT_TRUE(grants_->put_tool_grant(row, rules::audit_of_grant(row, kGrantAdded, "ada")).ok());
  const ToolGrant other = some_grant("other", "refunds", {"look"});
  ASSERT_TRUE(grants_->put_tool_grant(other, rules::audit_of_grant(other, kGrantAdded, "eve")).ok());
  close();
  open();
  const auto rows = grants_->tool_grants("shop", "", 10);
  ASSERT_TRUE(rows) << rows.error().to_string();
  ASSERT_EQ(rows->size(), 1u);
  const ToolGrant& found = rows->front();
  EXPECT_EQ(found.id, row.id);
  EXPECT_EQ(found.namespace_name, "shop");
  EXPECT_EQ(found.agent, "refunds");
  EXPECT_EQ(found.team, "payments");
  EXPECT_EQ(found.environment, "production");
  EXPECT_THAT(found.tools, testing::ElementsAre("crm__*", "look"));
  EXPECT_EQ(found.mode, GrantMode::kDeny);
  EXPECT_EQ(found.reason, "as agreed");
  EXPECT_EQ(found.set_by, "ada");
  EXPECT_EQ(found.set_at, row.set_at);
  const auto said = store_->audit_rows(row.id, 10);
  ASSERT_EQ(said->size(), 1u);
  EXPECT_EQ(said->front().actor, "ada");
  EXPECT_EQ(said->front().action, kGrantAdded);
}

TEST_P(StoreContract, AToolGrantIsTakenBackOnce) {
  const ToolGrant row = some_grant("shop", "refunds", {"look"});
  ASSERT_TRUE(grants_->put_tool_grant(row, rules::audit_of_grant(row, kGrantAdded, "ada")).ok());
  const AuditRow said = rules::audit_of_grant(row, kGrantRevoked, "bob");
  EXPECT_FALSE(*grants_->delete_tool_grant("other", row.id, said));
  EXPECT_TRUE(*grants_->delete_tool_grant("shop", row.id, said));
  EXPECT_FALSE(*grants_->delete_tool_grant("shop", row.id, said));
  close();
  open();
  EXPECT_TRUE(grants_->tool_grants("shop", "", 10)->empty());
  EXPECT_EQ(store_->audit_rows(row.id, 10)->size(), 2u);
}

TEST_P(StoreContract, ToolGrantsArePagedByTheirIdsAndWrongOnesAreRefused) {
  std::vector<std::string> ids;
  for (const char* agent : {"a", "b", "c"}) {
    const ToolGrant row = some_grant("shop", agent, {"look"});
    ASSERT_TRUE(grants_->put_tool_grant(row, rules::audit_of_grant(row, kGrantAdded, "ada")).ok());
    ids.push_back(row.id);
  }
  std::ranges::sort(ids);
  std::vector<std::string> seen;
  for (std::string after;;) {
    const auto page = grants_->tool_grants("shop", after, 2);
    if (page->empty()) break;
    for (const ToolGrant& row : *page) seen.push_back(row.id);
    after = seen.back();
  }
  EXPECT_EQ(seen, ids);
  const ToolGrant wrong = some_grant("shop", "a", {});
  EXPECT_EQ(grants_->put_tool_grant(wrong, AuditRow()).code(), Code::kInvalidArgument);
}

}  // namespace holdfast::platform
