// Goal: the core reads what it wrote, however far that is on its way to the disk. Method: rows are followed
// from the next batch through a commit into the store.

#include "engine/rows.h"

#include <gtest/gtest.h>

#include "sim/memory_store.h"

namespace holdfast::engine {
namespace {

class RowsTest : public testing::Test {
 protected:
  void commit(std::uint64_t sequence, const RowChanges& changes) {
    store::WriteBatch batch;
    for (const auto& [key, value] : changes) value ? batch.put(key, *value) : batch.erase(key);
    ASSERT_TRUE(store_.commit(batch).ok());
    rows_.committed(sequence);
  }

  std::optional<std::string> read(const std::string& key) {
    auto value = rows_.get(key);
    EXPECT_TRUE(value.has_value());
    return value.value_or(std::nullopt);
  }

  sim::MemoryStore store_;
  Rows rows_{store_};
};

TEST_F(RowsTest, AWriteIsReadOnItsWholeWay) {
  EXPECT_FALSE(read("a").has_value());
  rows_.put("a", "1");
  EXPECT_TRUE(rows_.changed());
  EXPECT_EQ(read("a"), "1");
  RowChanges batch = rows_.take();
  EXPECT_FALSE(rows_.changed());
  rows_.send(1, batch);
  EXPECT_EQ(read("a"), "1") << "in flight";
  commit(1, batch);
  EXPECT_EQ(read("a"), "1") << "in the store";
}

TEST_F(RowsTest, TheLastWriteCounts) {
  rows_.put("a", "1");
  RowChanges first = rows_.take();
  rows_.send(1, first);
  rows_.put("a", "2");
  RowChanges second = rows_.take();
  rows_.send(2, second);
  EXPECT_EQ(read("a"), "2");
  rows_.erase("a");
  EXPECT_FALSE(read("a").has_value()) << "erased in the next batch, present in two others";
  commit(1, first);
  commit(2, second);
  EXPECT_FALSE(read("a").has_value());
  rows_.put("a", "3");
  EXPECT_EQ(read("a"), "3");
}

TEST_F(RowsTest, WhatIsNotCommittedStaysReadable) {
  rows_.put("a", "1");
  RowChanges first = rows_.take();
  rows_.send(1, first);
  rows_.put("b", "2");
  rows_.send(2, rows_.take());
  commit(1, first);
  EXPECT_EQ(read("b"), "2");
}

}  // namespace
}  // namespace holdfast::engine
