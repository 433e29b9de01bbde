// Goal: what a row of the outbox says is read as it was written, whatever bytes are in it, and a row that is
// cut or changed is said to be damaged. Method: rows as texts.

#include "platform/outbox.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/storage_fault.h"

namespace holdfast::platform {
namespace {

std::vector<LogEntry> some_entries() {
  std::vector<LogEntry> out(3);
  out[0].run = "a run, with 3:signs,";
  out[0].type = "step.started";
  out[0].key = "k";
  out[0].data = R"({"x":1})";
  out[0].at = WallTime(std::chrono::nanoseconds(1'700'000'000'000'000'001));
  out[1].run = "r";
  out[1].type = kDeltaEvent;
  out[1].step = "7";
  out[1].key = out[1].opening = "opened/7/1";
  out[1].opens = true;
  out[1].attempt = 3;
  out[2].run = "r";
  out[2].type = kDeltaEvent;
  out[2].step = "7";
  out[2].opening = "opened/7/1";
  out[2].start = 12;
  out[2].data = std::string("\0,:9\xff", 5);
  return out;
}

TEST(OutboxRows, AreReadAsTheyWereWritten) {
  const std::vector<LogEntry> entries = some_entries();
  const auto read = read_entries(entries_text(entries));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ((*read)[i].run, entries[i].run);
    EXPECT_EQ((*read)[i].type, entries[i].type);
    EXPECT_EQ((*read)[i].key, entries[i].key);
    EXPECT_EQ((*read)[i].data, entries[i].data);
    EXPECT_EQ((*read)[i].at, entries[i].at);
    EXPECT_EQ((*read)[i].step, entries[i].step);
    EXPECT_EQ((*read)[i].opening, entries[i].opening);
    EXPECT_EQ((*read)[i].opens, entries[i].opens);
    EXPECT_EQ((*read)[i].attempt, entries[i].attempt);
    EXPECT_EQ((*read)[i].start, entries[i].start);
  }
  EXPECT_TRUE(read_entries("")->empty());
}

TEST(OutboxRows, CutOrChangedAreDamaged) {
  const std::string text = entries_text(some_entries());
  std::size_t whole = 0;
  for (std::size_t size = 1; size < text.size(); ++size) {
    const auto read = read_entries(text.substr(0, size));
    if (read) {
      ++whole;  // cut between two entries
    } else {
      EXPECT_EQ(fault_of(read.error()), StorageFault::kCorrupt);
    }
  }
  EXPECT_EQ(whole, 2u);
  for (const char* bad : {"5:other,", "x", "5:event", "5:event,1:r,1:x,1:t,1:k,1:d,",
                          "99999999999999999999:event,", "5:event;"}) {
    EXPECT_FALSE(read_entries(bad)) << bad;
  }
}

}  // namespace
}  // namespace holdfast::platform
