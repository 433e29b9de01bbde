// Where messages go and who has them.

#include "platform/conversation_rules.h"

#include <gmock/gmock.h>

#include "base/sha256.h"

namespace holdfast::platform::rules {
namespace {

// 0: 1..9; 1 forks off 0 after 5 and has 6..8; 2 forks off 1 after 7 and has 8..10.
const Branch kMain{.number = 0, .head = 9, .head_sha256 = "main"};
const Branch kFork{.number = 1, .parent = 0, .fork = 5, .head = 8, .head_sha256 = "fork"};
const Branch kDeep{.number = 2, .parent = 1, .fork = 7, .head = 10, .head_sha256 = "deep"};

Reference at(std::uint32_t branch, std::uint64_t sequence, std::string sha256) {
  Reference out;
  out.conversation = "c";
  out.branch = branch;
  out.sequence = sequence;
  out.sha256 = std::move(sha256);
  return out;
}

TEST(ConversationRules, AReferenceMustNameWhatIsThere) {
  EXPECT_TRUE(check_place(at(0, 0, ""), std::nullopt).ok());
  EXPECT_FALSE(check_place(at(0, 0, "x"), std::nullopt).ok());
  EXPECT_FALSE(check_place(at(3, 0, ""), std::nullopt).ok());
  EXPECT_FALSE(check_place(at(0, 1, "x"), std::nullopt).ok());
  EXPECT_TRUE(check_place(at(0, 9, "main"), kMain).ok());
  EXPECT_FALSE(check_place(at(0, 10, "main"), kMain).ok());
  EXPECT_TRUE(check_hash(at(0, 9, "main"), "main").ok());
  EXPECT_EQ(check_hash(at(0, 9, "main"), "other").code(), Code::kFailedPrecondition);
}

TEST(ConversationRules, AMovedHeadOpensABranchWhereTheMessageIs) {
  EXPECT_EQ(branch_for(at(0, 0, ""), std::nullopt, std::nullopt, 0).row.number, 0u);
  const Change<Branch> same = branch_for(at(0, 9, "main"), kMain, std::nullopt, 2);
  EXPECT_EQ(same.write, Write::kUpdate);
  EXPECT_EQ(same.row.number, 0u);
  const Change<Branch> opened = branch_for(at(2, 6, "six"), kDeep, kFork, 2);
  EXPECT_EQ(opened.write, Write::kInsert);
  EXPECT_EQ(opened.row.number, 3u);
  EXPECT_EQ(opened.row.parent, 1u);
  EXPECT_EQ(opened.row.fork, 6u);
  EXPECT_EQ(opened.row.head_sha256, "six");
}

TEST(ConversationRules, TheHashIsAChainOverContents) {
  Branch branch;
  const Message first = next_message(branch, "a", WallTime());
  const Message second = next_message(branch, "b", WallTime());
  EXPECT_EQ(first.sequence, 1u);
  EXPECT_EQ(first.chain_sha256, sha256_hex(sha256_hex("a")));
  EXPECT_EQ(second.chain_sha256, sha256_hex(first.chain_sha256 + sha256_hex("b")));
  EXPECT_EQ(head_of("c", branch), at(0, 2, second.chain_sha256));
}

TEST(ConversationRules, AReadTakesFromEachAncestorItsPart) {
  const auto parts = [](std::uint64_t first, std::uint64_t last) {
    std::vector<std::vector<std::uint64_t>> out;
    for (const Segment& part : segments_of(std::vector{kDeep, kFork, kMain}, first, last)) {
      out.push_back({part.branch, part.first, part.last});
    }
    return out;
  };
  using Parts = std::vector<std::vector<std::uint64_t>>;
  EXPECT_EQ(parts(1, 10), (Parts{{0, 1, 5}, {1, 6, 7}, {2, 8, 10}}));
  EXPECT_EQ(parts(6, 7), (Parts{{1, 6, 7}}));
  EXPECT_EQ(parts(2, 3), (Parts{{0, 2, 3}}));
  EXPECT_EQ(parts(9, 9), (Parts{{2, 9, 9}}));
}

TEST(ConversationRules, AnAppendIsBounded) {
  EXPECT_EQ(check_messages({}).code(), Code::kInvalidArgument);
  EXPECT_TRUE(check_messages({"a"}).ok());
  EXPECT_EQ(check_messages(std::vector<std::string>(1001, "a")).code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::platform::rules
