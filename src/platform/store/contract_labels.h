#pragma once

// The contract of labels (platform/contract.h): a label moves only from where its mover saw it, every move is
// kept, and a version is found by its label or the beginning of its hash.

#include <gmock/gmock.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "platform/contract.h"
#include "platform/find_version.h"

namespace holdfast::platform {

inline LabelMove label_move(std::string label, std::string hash, std::uint64_t seen) {
  LabelMove out;
  out.agent = "refund";
  out.label = std::move(label);
  out.hash = std::move(hash);
  out.seen = seen;
  out.actor = "ann";
  return out;
}

TEST_P(StoreContract, ALabelMovesFromWhereItWasSeen) {
  const std::string one = store_->put_definition("refund", "model: a")->hash;
  const std::string two = store_->put_definition("refund", "model: b")->hash;
  const auto first = store_->move_label(label_move("staging", one, 0));
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_TRUE(first->moved);
  EXPECT_EQ(first->label.move, 1u);
  EXPECT_EQ(store_->move_label(label_move("staging", two, 0)).error().code(), Code::kAborted);
  // The same again is no move, whatever the caller saw.
  EXPECT_FALSE(store_->move_label(label_move("staging", one, 0))->moved);
  ASSERT_TRUE(store_->move_label(label_move("staging", two, 1)));

  LabelMove promotion = label_move("production", two, 0);
  promotion.how = LabelHow::kPromoted;
  promotion.source = "staging";
  promotion.comment = "passed";
  clock_.ns += 1'000'000'000;
  ASSERT_TRUE(store_->move_label(promotion));
  close();
  open();
  const auto found = *store_->label("refund", "production");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->hash, two);
  EXPECT_EQ(found->source, "staging");
  EXPECT_EQ(found->actor, "ann");
  EXPECT_EQ(found->comment, "passed");
  EXPECT_EQ(found->at, clock_.now());
  EXPECT_EQ(store_->labels("refund")->size(), 2u);
  EXPECT_EQ(store_->labels("refund")->front().label, "production");
  EXPECT_FALSE(*store_->label("refund", "none"));
  EXPECT_TRUE(store_->labels("other")->empty());

  const auto audit = *store_->audit_rows("refund", 10);
  ASSERT_EQ(audit.size(), 3u);
  EXPECT_EQ(audit[0].action, kLabelPromoted);
  EXPECT_EQ(audit[0].actor, "ann");
  EXPECT_THAT(audit[0].detail, ::testing::HasSubstr("\"from\":\"staging\""));
}

TEST_P(StoreContract, ALabelGoesBackTheWayItCame) {
  std::vector<std::string> versions;
  for (std::uint64_t i = 0; i < 3; ++i) {
    versions.push_back(store_->put_definition("refund", std::to_string(i))->hash);
    ASSERT_TRUE(store_->move_label(label_move("production", versions[i], i)));
  }
  LabelMove back = label_move("production", "", 3);
  back.how = LabelHow::kRolledBack;
  EXPECT_EQ(store_->move_label(back)->label.hash, versions[1]);
  EXPECT_EQ(store_->move_label(back).error().code(), Code::kAborted);  // somebody else did it
  back.seen = 4;
  EXPECT_EQ(store_->move_label(back)->label.hash, versions[0]);
  back.seen = 5;
  EXPECT_EQ(store_->move_label(back).error().code(), Code::kFailedPrecondition);
  ASSERT_TRUE(store_->move_label(label_move("production", versions[2], 5)));
  back.seen = 6;
  EXPECT_EQ(store_->move_label(back)->label.hash, versions[0]);  // and not to what was rolled back

  std::vector<std::uint64_t> moves;
  for (std::uint64_t before = 0;;) {
    const auto page = *store_->label_moves("refund", "production", before, 3);
    for (const Label& each : page) moves.push_back(each.move);
    if (page.size() < 3) break;
    before = page.back().move;
  }
  EXPECT_THAT(moves, ::testing::ElementsAre(7, 6, 5, 4, 3, 2, 1));
}

TEST_P(StoreContract, OfManyWhoMoveALabelAtOnceOneDoes) {
  std::vector<std::string> versions;
  for (int i = 0; i < 4; ++i) versions.push_back(store_->put_definition("refund", std::to_string(i))->hash);
  std::atomic<int> won = 0;
  std::atomic<int> told = 0;
  std::vector<std::thread> people;
  people.reserve(versions.size());
  for (const std::string& version : versions) {
    people.emplace_back([&, version] {
      const auto moved = store_->move_label(label_move("production", version, 0));
      if (moved) ++won;
      if (!moved && moved.error().code() == Code::kAborted) ++told;
    });
  }
  for (std::thread& each : people) each.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(told, 3);
  EXPECT_EQ(store_->label_moves("refund", "production", 0, 10)->size(), 1u);
}

TEST_P(StoreContract, WhatCannotBeALabelIsRefused) {
  const std::string one = store_->put_definition("refund", "model: a")->hash;
  for (const char* label : {"", "Production", "abc123", "-x", "x y"})
    EXPECT_EQ(store_->move_label(label_move(label, one, 0)).error().code(), Code::kInvalidArgument) << label;
  EXPECT_EQ(store_->move_label(label_move("staging", "none", 0)).error().code(), Code::kNotFound);
  LabelMove promotion = label_move("production", one, 0);
  promotion.how = LabelHow::kPromoted;
  promotion.source = "staging";
  EXPECT_EQ(store_->move_label(promotion).error().code(), Code::kNotFound);
  LabelMove back = label_move("production", "", 0);
  back.how = LabelHow::kRolledBack;
  EXPECT_EQ(store_->move_label(back).error().code(), Code::kNotFound);
  for (std::size_t i = 0; i < kMaxLabels; ++i)
    ASSERT_TRUE(store_->move_label(label_move("stage-" + std::to_string(i), one, 0)));
  EXPECT_EQ(store_->move_label(label_move("one-more", one, 0)).error().code(), Code::kResourceExhausted);
  EXPECT_EQ(store_->labels("refund")->size(), kMaxLabels);
}

TEST_P(StoreContract, AVersionIsFoundByLabelOrTheBeginningOfItsHash) {
  const std::string one = store_->put_definition("refund", "model: a")->hash;
  const std::string two = store_->put_definition("refund", "model: b")->hash;
  ASSERT_TRUE(store_->move_label(label_move("production", one, 0)));
  EXPECT_EQ(find_version(*store_, "refund", "")->hash, two);
  EXPECT_EQ(find_version(*store_, "refund", "production")->text, "model: a");
  EXPECT_EQ(find_version(*store_, "refund", one)->hash, one);
  EXPECT_EQ(find_version(*store_, "refund", one.substr(0, 8))->hash, one);
  for (const char* version : {"staging", "000000", "abc", "No"})
    EXPECT_EQ(find_version(*store_, "refund", version).error().code(), Code::kNotFound) << version;
  EXPECT_EQ(find_version(*store_, "none", "production").error().code(), Code::kNotFound);

  EXPECT_THAT(*store_->versions_beginning("refund", one.substr(0, 10)), ::testing::ElementsAre(one));
  EXPECT_EQ(store_->versions_beginning("refund", "")->size(), 2u);
}

TEST_P(StoreContract, VersionsComeInPagesNewestFirst) {
  std::vector<std::string> versions;
  for (int i = 0; i < 5; ++i) {
    if (i != 3) clock_.ns += 1'000'000'000;  // two of one moment
    versions.push_back(store_->put_definition("refund", std::to_string(i))->hash);
  }
  std::vector<std::string> seen;
  for (std::string after;;) {
    const auto page = *store_->definition_versions("refund", 2, after);
    for (const Definition& each : page) seen.push_back(each.hash);
    if (page.size() < 2) break;
    after = seen.back();
  }
  EXPECT_THAT(seen, ::testing::UnorderedElementsAreArray(versions));
  EXPECT_EQ(seen.front(), versions[4]);
  EXPECT_EQ(seen.back(), versions[0]);
  EXPECT_TRUE(store_->definition_versions("refund", 1)->front().text.empty());
}

}  // namespace holdfast::platform
