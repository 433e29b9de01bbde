// The book of tool grants: what is durable counts, at once and for whoever asks next; what would open a scope
// unasked is refused. The store is a list that can be told to fail.

#include "grant/tool_grants.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "fixture/manual_clock.h"
#include "platform/tool_grant_rules.h"

namespace holdfast::grant {
namespace {

using platform::AuditRow;
using platform::GrantMode;
using platform::ToolGrant;
using testing::ElementsAre;
using testing::HasSubstr;

class ListStore final : public platform::ToolGrantStore {
 public:
  Status put_tool_grant(const ToolGrant& row, const AuditRow& audit) override {
    if (!failure.ok()) return failure;
    rows.push_back(row);
    std::ranges::sort(rows, {}, &ToolGrant::id);
    said.push_back(audit.action + " by " + audit.actor);
    return {};
  }
  Result<bool> delete_tool_grant(std::string_view, std::string_view id, const AuditRow& audit) override {
    if (!failure.ok()) return fail(failure);
    std::erase_if(rows, [&](const ToolGrant& row) { return row.id == id; });
    said.push_back(audit.action + " by " + audit.actor);
    return true;
  }
  Result<std::vector<ToolGrant>> tool_grants(std::string_view, std::string_view after,
                                             std::uint32_t) override {
    if (!failure.ok()) return fail(failure);
    std::vector<ToolGrant> out;
    for (const ToolGrant& row : rows) {
      if (row.id > after && out.size() < 2) out.push_back(row);
    }
    return out;
  }

  std::vector<ToolGrant> rows;
  std::vector<std::string> said;
  Status failure;
};

class Book : public ::testing::Test {
 protected:
  std::unique_ptr<ToolGrants> open() { return *ToolGrants::open(store_, "default", clock_); }

  static ToolGrant wanted(std::string agent, std::vector<std::string> tools,
                          GrantMode mode = GrantMode::kAllow) {
    ToolGrant out;
    out.agent = std::move(agent);
    out.tools = std::move(tools);
    out.mode = mode;
    out.set_by = "ada";
    return out;
  }
  static bool may(const ToolGrants& book, std::string agent, std::string_view tool) {
    ToolScope scope;
    scope.agent = std::move(agent);
    const auto permits = book.of(std::move(scope));
    return !permits || !permits->refusal(tool);
  }

  ListStore store_;
  fixture::ManualClock clock_;
};

TEST_F(Book, AGrantCountsWhenItIsDurableAndSurvives) {
  auto book = open();
  EXPECT_TRUE(may(*book, "a", "refund"));
  const auto added = book->add(wanted("a", {"look", "look", "find"}));
  ASSERT_TRUE(added) << added.error().to_string();
  EXPECT_TRUE(added->is_new);
  EXPECT_THAT(added->row.tools, ElementsAre("find", "look"));
  EXPECT_EQ(added->row.namespace_name, "default");
  EXPECT_FALSE(may(*book, "a", "refund"));
  EXPECT_TRUE(may(*book, "a", "look"));
  EXPECT_FALSE(may(*open(), "a", "refund"));
  EXPECT_THAT(store_.said, ElementsAre("grant.added by ada"));
}

TEST_F(Book, TheSameGrantAgainIsTheOneThatIsThere) {
  auto book = open();
  const auto first = book->add(wanted("a", {"look", "find"}));
  ToolGrant again = wanted("a", {"find", "look"});
  again.set_by = "bob";
  const auto second = book->add(again);
  EXPECT_FALSE(second->is_new);
  EXPECT_EQ(second->row.id, first->row.id);
  EXPECT_EQ(second->row.set_by, "ada");
  EXPECT_EQ(store_.said.size(), 1u);
}

TEST_F(Book, WhatWasTakenBackCountsAtOnce) {
  auto book = open();
  const auto denied = book->add(wanted("a", {"refund"}, GrantMode::kDeny));
  EXPECT_FALSE(may(*book, "a", "refund"));
  ASSERT_TRUE(book->revoke(denied->row.id, "bob", false));
  EXPECT_TRUE(may(*book, "a", "refund"));
  EXPECT_EQ(book->revoke(denied->row.id, "bob", false).error().code(), Code::kNotFound);
  EXPECT_THAT(store_.said, ElementsAre("grant.added by ada", "grant.revoked by bob"));
}

TEST_F(Book, TheLastRowThatLimitsIsNotTakenBackUnasked) {
  auto book = open();
  const auto wide = book->add(wanted("a", {"look", "refund"}));
  const auto refused = book->revoke(wide->row.id, "bob", false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(refused.error().message(), HasSubstr("the last grant that limits the agent a"));
  EXPECT_FALSE(may(*book, "a", "other"));
  // A narrower list first: then the wider one goes, and nothing is open in between.
  ASSERT_TRUE(book->add(wanted("a", {"look"})));
  ASSERT_TRUE(book->revoke(wide->row.id, "bob", false));
  EXPECT_FALSE(may(*book, "a", "refund"));
  EXPECT_TRUE(may(*book, "a", "look"));
  ASSERT_TRUE(book->revoke(book->list().front().id, "bob", true));
  EXPECT_TRUE(may(*book, "a", "refund"));
}

TEST_F(Book, AStoreThatFailsChangesNothing) {
  auto book = open();
  const auto denied = book->add(wanted("a", {"refund"}, GrantMode::kDeny));
  store_.failure = Status(Code::kUnavailable, "the disk");
  EXPECT_EQ(book->add(wanted("b", {"look"})).error().code(), Code::kUnavailable);
  EXPECT_EQ(book->revoke(denied->row.id, "bob", true).error().code(), Code::kUnavailable);
  EXPECT_TRUE(may(*book, "b", "refund"));
  EXPECT_FALSE(may(*book, "a", "refund"));
  EXPECT_FALSE(ToolGrants::open(store_, "default", clock_)) << "what is missing would be allowed";
}

TEST_F(Book, HasItsBounds) {
  auto book = open();
  for (std::size_t i = 0; i < kMaxToolGrants; ++i)
    ASSERT_TRUE(book->add(wanted("a" + std::to_string(i), {"look"})));
  EXPECT_EQ(book->add(wanted("one-more", {"look"})).error().code(), Code::kResourceExhausted);
  EXPECT_EQ(open()->list().size(), kMaxToolGrants) << "page by page";
  EXPECT_EQ(book->add(wanted("a b", {"look"})).error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::grant
