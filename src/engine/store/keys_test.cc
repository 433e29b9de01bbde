// Keys order as their components do, none is a prefix of another's, and the bytes never change: they are on
// disks.

#include "store/keys.h"

#include <gtest/gtest.h>

namespace holdfast::store::keys {
namespace {

TEST(Keys, BytesAreFixed) {
  EXPECT_EQ(store_meta(), std::string("\xFF\xFFm", 3));
  EXPECT_EQ(namespace_record("a"), std::string("\xFF\xFFn"
                                               "a\x00\x01",
                                               6));
  EXPECT_EQ(visibility_feed(1), std::string("\xFF\xFF"
                                            "f\x80\x00\x00\x00\x00\x00\x00\x01",
                                            11));
  EXPECT_EQ(shard_of("ns", "w"), shard_of("ns", "w"));
  EXPECT_LT(shard_of("ns", "w"), kShardCount);
  EXPECT_EQ(shard_of("default", "order-1"), 48);
}

TEST(Keys, PagesOrderByEventAndStayInsideTheirRun) {
  const std::string begin = history_page("ns", "w", "r", 0);
  const std::string end = history_page("ns", "w", "r", 1'000'000);
  for (std::int64_t id : {1, 255, 256, 65'536}) {
    const std::string key = history_page("ns", "w", "r", id);
    EXPECT_LT(begin, key);
    EXPECT_LT(key, end);
    EXPECT_EQ(history_page_event(key), id);
    EXPECT_TRUE(is_history_page(key));
  }
  EXPECT_LT(history_page("ns", "w", "r", 2), history_page("ns", "w", "r", 10));
}

TEST(Keys, PartsStandBetweenTheHistoryOfTheirRunAndItsState) {
  const std::string part = state_part("ns", "w", "r", 3, 7);
  EXPECT_EQ(part.substr(part.size() - 10), std::string("p\x03\x80\x00\x00\x00\x00\x00\x00\x07", 10));
  EXPECT_LT(history_page("ns", "w", "r", 1'000'000), part);
  EXPECT_LT(state_parts_begin("ns", "w", "r"), part);
  EXPECT_LT(part, state_parts_end("ns", "w", "r"));
  EXPECT_LT(part, execution_state("ns", "w", "r"));
  EXPECT_LT(state_part("ns", "w", "r", 3, 256), state_part("ns", "w", "r", 4, 1));
  EXPECT_LT(state_part("ns", "w", "r", 3, 2), state_part("ns", "w", "r", 3, 256));
  PartName name;
  ASSERT_TRUE(parse_state_part(part, name));
  EXPECT_EQ(name.kind, 3);
  EXPECT_EQ(name.n, 7);
  EXPECT_FALSE(is_history_page(part));
  for (const std::string& other :
       {history_page("ns", "w", "r", 7), execution_state("ns", "w", "r"), part + "x"}) {
    EXPECT_FALSE(parse_state_part(other, name));
  }
  ExecutionRow row;
  ASSERT_TRUE(parse_execution(part, row));
  EXPECT_FALSE(row.state);
}

TEST(Keys, NoComponentReachesIntoTheNext) {
  const std::string zero("a\0b", 3);
  EXPECT_NE(namespace_record(zero), namespace_record("a"));
  EXPECT_FALSE(namespace_record("ab").starts_with(namespace_record("a")));
  WakeRow row;
  ASSERT_TRUE(parse_wake(wake(42, "ns", zero, "r"), row));
  EXPECT_EQ(row.wake_ns, 42);
  EXPECT_EQ(row.workflow_id, zero);
  EXPECT_EQ(row.run_id, "r");
  EXPECT_FALSE(parse_wake("junk", row));
  EXPECT_FALSE(parse_wake(wake(42, "ns", "w", "r") + "x", row));
}

TEST(Keys, ExpiriesOrderByTimeWithinTheirNamespace) {
  const auto rest = [](const std::string& key) { return key.substr(2); };
  EXPECT_LT(rest(expiry(0, "n", "z", "r")), rest(expiry(1, "n", "a", "r")));
  EXPECT_LT(rest(expiry(9, "n", "z", "r")), rest(expiry(0, "o", "a", "r")));
  EXPECT_TRUE(expiry(5, "n", "w", "r").starts_with(expiry_begin(shard_of("n", "w"), "n")));
  ExpiryRow row;
  ASSERT_TRUE(parse_expiry(expiry(42, "n", "w", "r"), row));
  EXPECT_EQ(row.moment_ns, 42);
  EXPECT_EQ(row.namespace_id + row.workflow_id + row.run_id, "nwr");
  EXPECT_FALSE(parse_expiry(wake(42, "n", "w", "r"), row));
  EXPECT_FALSE(parse_expiry(expiry(42, "n", "w", "r") + "x", row));
}

TEST(Keys, RowsOfAnExecutionSayWhoseTheyAre) {
  ExecutionRow row;
  ASSERT_TRUE(parse_execution(history_page("n", "w", "r", 7), row));
  EXPECT_FALSE(row.state);
  ASSERT_TRUE(parse_execution(execution_state("n", "w", "r"), row));
  EXPECT_TRUE(row.state);
  EXPECT_EQ(row.namespace_id + row.workflow_id + row.run_id, "nwr");
  EXPECT_FALSE(parse_execution(current_run("n", "w"), row));
  const auto shard = shard_of("n", "w");
  for (const std::string& key : {history_page("n", "w", "r", 7), execution_state("n", "w", "r")}) {
    EXPECT_LT(executions_begin(shard, "n"), key);
    EXPECT_GT(executions_end(shard, "n"), key);
    EXPECT_LT(executions_end(shard, "m"), key);
  }
}

TEST(Keys, LargePayloadsAreFoundByWhoHasThem) {
  const LargeId id{.epoch = 3, .number = 0x0168};
  for (const std::string& key : {large_owner("n", "w", "r", id), large_payload(id), staged_payload(id)})
    EXPECT_EQ(large_id_of(key), id);
  EXPECT_LT(large_owners_begin("n", "w", "r"), large_owner("n", "w", "r", id));
  EXPECT_GT(large_owners_end("n", "w", "r"), large_owner("n", "w", "r", id));
  EXPECT_LT(large_owners_end("n", "w", "r"), large_owner("n", "w", "ra", id));
  EXPECT_LT(large_piece(id, 9), large_piece(id, 10));
  EXPECT_LT(large_piece(id, 10), large_piece({.epoch = 3, .number = 0x0169}, 0));
  EXPECT_FALSE(is_history_page(large_owner("n", "w", "r", id)));
  ExecutionRow row;
  ASSERT_TRUE(parse_execution_prefix(history_page("n", "w", "r", 7), row));
  EXPECT_EQ(row.namespace_id + row.workflow_id + row.run_id, "nwr");
  EXPECT_FALSE(parse_execution_prefix(large_owner("n", "w", "r", id), row));
}

TEST(Keys, WakeRowsOrderByTime) {
  EXPECT_LT(wake(0, "z", "w", "r").substr(2), wake(1, "a", "w", "r").substr(2));
}

}  // namespace
}  // namespace holdfast::store::keys
