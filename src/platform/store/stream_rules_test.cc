// Sequences, attempts and cursors of a log.

#include "platform/stream_rules.h"

#include <gtest/gtest.h>

namespace holdfast::platform::rules {
namespace {

TEST(StreamRules, ALogHasNoGapsAndNothingAfterItsEnd) {
  EXPECT_EQ(next_seq({}), 1u);
  EXPECT_EQ(next_seq({.seq = 4, .key = "message"}), 5u);
  EXPECT_FALSE(next_seq({.seq = 5, .key = std::string(kClosingKey)}));
}

TEST(StreamRules, AnAttemptNeverSharesItsNumber) {
  EXPECT_EQ(attempt_number(0, 0), 1u);
  EXPECT_EQ(attempt_number(3, 1), 3u);
  EXPECT_EQ(attempt_number(1, 3), 4u);
}

TEST(StreamRules, ACursorIsOfOneLog) {
  const std::string cursor = cursor_of("e", "one", 7);
  EXPECT_EQ(seq_of(cursor, "e", "one", 9), 7u);
  EXPECT_FALSE(seq_of(cursor, "e", "one", 6));  // beyond the end
  EXPECT_FALSE(seq_of(cursor, "other", "one", 9));
  EXPECT_FALSE(seq_of(cursor, "e", "two", 9));
  EXPECT_EQ(seq_of("e-7", "e", "one", 9), 7u);  // of an earlier version
  for (const char* bad : {"", "7", "e-", "e-07", "e-7x", "e--7", "e.-7", "e.0-7"})
    EXPECT_FALSE(seq_of(bad, "e", "one", 9)) << bad;
}

TEST(StreamRules, ADeltaSaysWhetherItOpensAnAttempt) {
  EXPECT_EQ(delta_json("s", 2, 5, "hi", false), R"({"step":"s","attempt":2,"offset":5,"text":"hi"})");
  EXPECT_EQ(delta_json("s", 2, 0, "", true), R"({"step":"s","attempt":2,"offset":0,"text":"","reset":true})");
}

TEST(StreamRules, AReaderGoesOnWhereItWasOrIsReset) {
  EXPECT_EQ(chunk_page(1, 4, 1, 10).offset, 4u);
  EXPECT_FALSE(chunk_page(1, 4, 1, 10).reset);
  EXPECT_TRUE(chunk_page(1, 4, 2, 10).reset);   // a newer attempt
  EXPECT_TRUE(chunk_page(1, 11, 1, 10).reset);  // beyond the end
  EXPECT_FALSE(chunk_page(0, 0, 2, 10).reset);  // a new reader
  EXPECT_FALSE(chunk_page(0, 0, 0, 0).reset);   // before the first text
  EXPECT_TRUE(chunk_page(1, 0, 0, 0).reset);
}

TEST(StreamRules, AChunkIsCutToWhatIsNew) {
  ChunkPage page = chunk_page(1, 4, 1, 10);
  add_chunk(page, 0, "0123");
  EXPECT_TRUE(page.chunks.empty());
  add_chunk(page, 2, "2345");
  ASSERT_EQ(page.chunks.size(), 1u);
  EXPECT_EQ(page.chunks[0].text, "45");
  EXPECT_EQ(page.chunks[0].offset, 4u);
  EXPECT_EQ(page.offset, 6u);
}

}  // namespace
}  // namespace holdfast::platform::rules
