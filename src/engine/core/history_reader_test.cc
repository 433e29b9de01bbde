// Goal: a reader sees every event once and in order, wherever it is, and no more than fits. Method: one
// history of nine events, its first pages in the store alone, the next in memory, the last events in no page
// yet.

#include "engine/history_reader.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "engine/options.h"
#include "sim/memory_store.h"
#include "store/keys.h"

namespace holdfast::engine {
namespace {

using Ids = std::vector<std::int64_t>;

class HistoryReaderTest : public testing::Test {
 protected:
  HistoryReaderTest() {
    store::WriteBatch batch;
    for (const std::int64_t first : {1, 3}) {
      batch.put(store::keys::history_page("n", "w", "r", first), history::serialize(page(first)));
    }
    EXPECT_TRUE(store_.commit(batch).ok());
    stored::ExecutionState state;
    state.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
    state.set_next_event_id(9);
    run_ = std::make_unique<engine::Run>(RunKey{"n", "w", "r"},
                                         std::make_unique<MutableState>(std::move(state)));
    for (const std::int64_t first : {5, 7}) {
      run_->pages.push_back({first, std::make_shared<const History>(page(first)), 0, 1});
    }
  }

  static History page(std::int64_t first) {
    History history;
    for (std::int64_t id = first; id < first + 2; ++id) history.add_events()->set_event_id(id);
    return history;
  }
  Ids read(std::int64_t from, std::int64_t to, std::int64_t most, std::int64_t* next = nullptr) {
    History history;
    const std::int64_t end = reader_.read(*run_, from, to, most, &history);
    if (next != nullptr) *next = end;
    return ids_of(history);
  }
  static Ids ids_of(const History& history) {
    Ids ids;
    for (const Event& event : history.events()) ids.push_back(event.event_id());
    return ids;
  }

  EngineLimits limits_;
  sim::MemoryStore store_;
  std::unique_ptr<engine::Run> run_;
  HistoryReader reader_{store_, limits_};
};

TEST_F(HistoryReaderTest, ReadsAcrossStoreAndMemory) {
  EXPECT_EQ(read(1, 9, 100), (Ids{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(read(2, 8, 100), (Ids{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(read(6, 7, 100), (Ids{6}));
}

TEST_F(HistoryReaderTest, StopsAtItsLimitsAndSaysWhere) {
  std::int64_t next = 0;
  EXPECT_EQ(read(2, 9, 3, &next), (Ids{2, 3, 4}));
  EXPECT_EQ(next, 5);
  limits_.page_bytes = 5;  // an event has two bytes
  EXPECT_EQ(read(4, 9, 100, &next), (Ids{4, 5}));
  EXPECT_EQ(next, 6);
  limits_.page_bytes = 1;
  EXPECT_EQ(read(4, 9, 100, &next), (Ids{4})) << "one always fits";
}

TEST_F(HistoryReaderTest, ReadsBackwards) {
  History history;
  EXPECT_EQ(reader_.read_before(*run_, 9, 100, &history), 1);
  EXPECT_EQ(ids_of(history), (Ids{8, 7, 6, 5, 4, 3, 2, 1}));
  history.Clear();
  EXPECT_EQ(reader_.read_before(*run_, 6, 2, &history), 4);
  EXPECT_EQ(ids_of(history), (Ids{5, 4}));
}

TEST_F(HistoryReaderTest, FindsOneEvent) {
  EXPECT_EQ(reader_.find(*run_, 2)->event_id(), 2) << "in the store";
  EXPECT_EQ(reader_.find(*run_, 8)->event_id(), 8) << "in memory";
  EXPECT_FALSE(reader_.find(*run_, 0).has_value());
  EXPECT_FALSE(reader_.find(*run_, 9).has_value());
}

}  // namespace
}  // namespace holdfast::engine
