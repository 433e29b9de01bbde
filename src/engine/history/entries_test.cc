// Goal: a change costs what it changes, however much there is; what is taken back has left nothing; what has
// to be stored is what changed. Method: entries that count their copies.

#include "history/entries.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::history {
namespace {

int copies = 0;

struct Counted {
  explicit Counted(int v = 0) : value(v) {}
  Counted(const Counted& other) : value(other.value) { ++copies; }
  Counted(Counted&&) = default;
  Counted& operator=(const Counted&) = delete;
  Counted& operator=(Counted&&) = default;
  int value;
};

constexpr int kMany = 2000;

class EntriesTest : public ::testing::Test {
 protected:
  EntriesTest() {
    for (int i = 0; i < kMany; ++i) table.add(i, Counted(i));
    store();
    copies = 0;
  }
  // All that changed gets a row of its own; what was stored.
  std::vector<std::string> store() {
    std::vector<std::string> rows;
    for (const std::int64_t n : table.take_gone()) rows.push_back("-" + std::to_string(n));
    table.take_changed([&](std::int64_t n, auto& entry) {
      entry.own_row = true;
      rows.push_back("+" + std::to_string(n));
    });
    return rows;
  }
  void put_all_back() {
    auto before = table.take_before();
    for (const auto& [n, entry] : before) table.erase(n);
    for (auto& [n, entry] : before) {
      if (entry) table.put_back(n, *std::move(entry));
    }
  }

  Entries<Counted> table;
};

TEST_F(EntriesTest, AChangeCopiesNothing) {
  table.change(7)->value = 1;
  table.erase(8);
  table.add(kMany, Counted(2));
  EXPECT_EQ(copies, 0);
  EXPECT_EQ(store(), (std::vector<std::string>{"-8", "+7", "+2000"}));
  EXPECT_TRUE(store().empty());
}

TEST_F(EntriesTest, WhatMayBeTakenBackIsCopiedOnce) {
  table.begin();
  for (int i = 0; i < 5; ++i) table.change(7)->value = i;
  table.erase(8);
  EXPECT_EQ(copies, 1);
  put_all_back();
  EXPECT_EQ(copies, 1);
  EXPECT_EQ(table.find(7)->value, 7);
  EXPECT_EQ(table.find(8)->value, 8);
  EXPECT_EQ(table.size(), kMany);
}

TEST_F(EntriesTest, WhatWasTakenBackIsStoredAsItWas) {
  table.begin();
  table.erase(8);
  table.add(kMany, Counted(1));
  put_all_back();
  // The row that was to go is written after it: the batch ends with it.
  EXPECT_EQ(store(), (std::vector<std::string>{"-8", "+8"}));
  EXPECT_EQ(table.own_rows(), kMany);
}

TEST_F(EntriesTest, WhatStands) {
  table.begin();
  table.change(7)->value = 70;
  table.keep();
  EXPECT_EQ(table.find(7)->value, 70);
  EXPECT_EQ(store(), (std::vector<std::string>{"+7"}));
}

TEST_F(EntriesTest, WhatNeverHadARowLeavesNone) {
  table.add(kMany, Counted(1));
  table.erase(kMany);
  EXPECT_TRUE(store().empty());
}

TEST_F(EntriesTest, AllThatGoesAtOnceCanComeBackToo) {
  table.begin();
  int taken = 0;
  table.take_all([&](Counted&&) { ++taken; });
  EXPECT_EQ(taken, kMany);
  EXPECT_TRUE(table.empty());
  put_all_back();
  EXPECT_EQ(table.size(), kMany);
  EXPECT_EQ(table.find(11)->value, 11);
}

}  // namespace
}  // namespace holdfast::history
