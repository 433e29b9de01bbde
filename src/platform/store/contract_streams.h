#pragma once

// The contract of streams (platform/contract.h): what was shown is never lost, cursors resume exactly, a new
// attempt replaces the text of the old one, and a slow subscriber misses nothing.

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "platform/contract.h"

namespace holdfast::platform {

inline std::vector<std::string> types(const EventPage& page) {
  std::vector<std::string> out;
  for (const Event& event : page.events) out.push_back(event.type);
  return out;
}

TEST_P(StoreContract, EventsHaveGaplessSequencesAndCursorsResume) {
  const Event one = *streams_->publish("r", "run.started", "{}");
  const Event two = *streams_->publish("r", "message", R"({"n":1})");
  EXPECT_EQ(one.seq, 1u);
  EXPECT_EQ(two.seq, 2u);
  EXPECT_EQ(streams_->publish("other", "x", "{}")->seq, 1u);
  close();
  open();
  Result<EventPage> page = streams_->read("r", one.cursor, 100);
  ASSERT_EQ(page->events.size(), 1u);
  EXPECT_EQ(page->events[0].data, R"({"n":1})");
  EXPECT_FALSE(page->reset);
  page = streams_->read("r", two.cursor, 100);
  EXPECT_TRUE(page->events.empty());
  EXPECT_EQ(page->cursor, two.cursor);
  EXPECT_EQ(*streams_->end("r"), two.cursor);
  EXPECT_FALSE(streams_->read("new", *streams_->end("new"), 100)->reset);
}

TEST_P(StoreContract, AnUnknownCursorReadsFromTheBeginning) {
  ASSERT_TRUE(streams_->publish("r", "x", "{}"));
  for (const char* cursor : {"garbage", "00000000-1", "-1", "99"}) {
    Result<EventPage> page = streams_->read("r", cursor, 100);
    ASSERT_TRUE(page);
    EXPECT_TRUE(page->reset) << cursor;
    EXPECT_EQ(page->events.size(), 1u);
  }
  // Beyond the end of this log.
  std::string beyond = streams_->read("r", "", 100)->cursor;
  beyond.back() = '9';
  EXPECT_TRUE(streams_->read("r", beyond, 100)->reset);
  EXPECT_TRUE(streams_->read("unknown", beyond, 100)->reset);
}

// An activity of a run that was terminated may write until it hears of it.
TEST_P(StoreContract, NothingComesAfterTheClosingEvent) {
  auto writer = *streams_->open("r", "1", 1);
  ASSERT_TRUE(streams_->publish("r", "run.closed", "{}", kClosingKey));
  EXPECT_TRUE(writer->append("late").ok());
  EXPECT_TRUE(writer->flush().ok());
  EXPECT_EQ(streams_->publish("r", "step.completed", "{}").error().code(), Code::kFailedPrecondition);
  EXPECT_TRUE(streams_->publish_soon("r", "step.started", "{}").ok());
  EXPECT_TRUE((*streams_->open("r", "2", 1))->flush().ok());
  EXPECT_EQ(streams_->publish("r", "run.closed", "{}", kClosingKey)->seq, 2u);
  EXPECT_THAT(types(*streams_->read("r", "", 100)), ::testing::ElementsAre(kDeltaEvent, "run.closed"));
}

TEST_P(StoreContract, ARepeatedKeyGivesTheFirstEventBack) {
  const Event first = *streams_->publish("r", "tool.done", "1", "call-1");
  const Event again = *streams_->publish("r", "tool.done", "2", "call-1");
  EXPECT_EQ(again.seq, first.seq);
  EXPECT_EQ(again.data, "1");
  EXPECT_EQ(streams_->read("r", "", 100)->events.size(), 1u);
}

TEST_P(StoreContract, DeltasAreCommittedByThemselvesAndInOneOrderWithEvents) {
  std::unique_ptr<StreamWriter> writer = std::move(*streams_->open("r", "turn-1", 1));
  ASSERT_TRUE(writer->append("Hello").ok());
  ASSERT_TRUE(writer->append(", are").ok());
  // Nobody flushes: the interval does.
  Result<ChunkPage> chunks = streams_->read_chunks("r", "turn-1", 0, 0, 100);
  while (chunks && chunks->chunks.empty()) {
    std::this_thread::yield();
    chunks = streams_->read_chunks("r", "turn-1", 0, 0, 100);
  }
  ASSERT_TRUE(writer->append(" you there").ok());
  ASSERT_TRUE(streams_->publish("r", "message", "{}"));
  Result<EventPage> page = streams_->read("r", "", 100);
  EXPECT_EQ(types(*page).front(), "delta");
  EXPECT_EQ(types(*page).back(), "message");
  std::string text;
  for (const Event& event : page->events) {
    if (event.type != kDeltaEvent) continue;
    const auto json = nlohmann::json::parse(event.data);
    EXPECT_EQ(json["offset"], text.size());
    text += json["text"].get<std::string>();
  }
  EXPECT_EQ(text, "Hello, are you there");
}

TEST_P(StoreContract, ANewAttemptIsSeparateAndItsReaderIsReset) {
  std::unique_ptr<StreamWriter> first = std::move(*streams_->open("r", "s", 1));
  ASSERT_TRUE(first->append("half a sen").ok());
  ASSERT_TRUE(first->flush().ok());
  EXPECT_EQ(streams_->read_chunks("r", "s", 1, 4, 100)->chunks.front().text, " a sen");
  // The engine counts from 1 again after a reset: the stream does not.
  std::unique_ptr<StreamWriter> second = std::move(*streams_->open("r", "s", 1));
  ASSERT_TRUE(second->append("A sentence.").ok());
  ASSERT_TRUE(second->flush().ok());
  Result<ChunkPage> page = streams_->read_chunks("r", "s", 1, 10, 100);
  EXPECT_TRUE(page->reset);
  EXPECT_EQ(page->attempt, 2u);
  ASSERT_EQ(page->chunks.size(), 1u);
  EXPECT_EQ(page->chunks[0].text, "A sentence.");
  page = streams_->read_chunks("r", "s", 2, page->offset, 100);
  EXPECT_FALSE(page->reset);
  EXPECT_TRUE(page->chunks.empty());
  EXPECT_TRUE(streams_->read_chunks("r", "s", 2, 1000, 100)->reset);
}

TEST_P(StoreContract, ASubscriberThatFallsBehindSeesEverythingOnce) {
  ASSERT_TRUE(streams_->publish("r", "first", "{}"));
  std::mutex mutex;
  std::condition_variable changed;
  bool ready = false;
  Result<std::unique_ptr<Subscription>> tail = streams_->subscribe("r", "", Deltas::kCommitted, [&] {
    std::lock_guard lock(mutex);
    ready = true;
    changed.notify_one();
  });
  ASSERT_TRUE(tail);
  constexpr std::uint64_t kEvents = 3 * kMaxQueuedEvents;
  std::thread publisher([&] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (std::uint64_t i = 0; i < kEvents / 8; ++i) ASSERT_TRUE(streams_->publish("r", "x", "{}"));
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  std::uint64_t seen = 0;
  while (seen < kEvents + 1) {
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return ready; });
      ready = false;
    }
    for (Result<EventPage> page = (*tail)->take(); page && !page->events.empty(); page = (*tail)->take()) {
      for (const Event& event : page->events) {
        ASSERT_EQ(event.seq, seen + 1);
        ++seen;
      }
    }
  }
  publisher.join();
  EXPECT_TRUE((*tail)->take()->events.empty());
}

// Takes what a subscriber has and adds the text that it is shown; each piece begins where the one before
// ended.
inline void read_on(Subscription& tail, std::string& text, std::string& cursor) {
  for (Result<EventPage> page = tail.take(); page && !page->events.empty(); page = tail.take()) {
    for (const Event& event : page->events) {
      if (!event.cursor.empty()) cursor = event.cursor;
      EXPECT_EQ(event.seq == 0, event.cursor.empty());
      if (event.type != kDeltaEvent) continue;
      const auto json = nlohmann::json::parse(event.data);
      if (json.contains("reset")) text.clear();
      EXPECT_EQ(json["offset"], text.size()) << event.data;
      text += json["text"].get<std::string>();
    }
  }
}

TEST_P(StoreContract, TextIsShownAtOnceAndNotAgainWhenItIsCommitted) {
  auto writer = *streams_->open("r", "1", 1);
  ASSERT_TRUE(writer->flush().ok());
  auto at_once = *streams_->subscribe("r", "", Deltas::kAtOnce, [] {});
  std::string text;
  std::string cursor;
  read_on(*at_once, text, cursor);
  ASSERT_TRUE(writer->append("Hello").ok());
  const Event first = at_once->take()->events.at(0);
  EXPECT_EQ(first.seq, 0u);
  EXPECT_EQ(first.data, R"({"step":"1","attempt":1,"offset":0,"text":"Hello"})");
  text = "Hello";
  ASSERT_TRUE(writer->append(", are").ok());
  read_on(*at_once, text, cursor);
  EXPECT_EQ(text, "Hello, are");
  ASSERT_TRUE(writer->append(" you").ok());
  ASSERT_TRUE(streams_->publish("r", "message", "{}"));
  ASSERT_TRUE(writer->append(" there").ok());
  ASSERT_TRUE(writer->flush().ok());
  read_on(*at_once, text, cursor);
  EXPECT_EQ(text, "Hello, are you there");
  EXPECT_EQ(cursor, *streams_->end("r"));
  // The next attempt.
  auto next = *streams_->open("r", "1", 1);
  ASSERT_TRUE(next->append("Hi").ok());
  ASSERT_TRUE(next->flush().ok());
  ASSERT_TRUE(next->append("!").ok());
  read_on(*at_once, text, cursor);
  EXPECT_EQ(text, "Hi!");
}

TEST_P(StoreContract, WhoWantsWhatIsCommittedSeesNothingElse) {
  auto writer = *streams_->open("r", "1", 1);
  ASSERT_TRUE(writer->flush().ok());
  auto tail = *streams_->subscribe("r", "", Deltas::kCommitted, [] {});
  ASSERT_EQ(tail->take()->events.size(), 1u);
  ASSERT_TRUE(writer->append("Hello").ok());
  ASSERT_TRUE(writer->flush().ok());
  const EventPage page = *tail->take();
  ASSERT_EQ(page.events.size(), 1u);
  EXPECT_EQ(page.events[0].seq, 2u);
}

TEST_P(StoreContract, WhoComesInMidTextOrIsSlowMissesNothing) {
  auto writer = *streams_->open("r", "1", 1);
  ASSERT_TRUE(writer->append("What nobody saw").ok());
  auto tail = *streams_->subscribe("r", "", Deltas::kAtOnce, [] {});
  std::string text;
  std::string cursor;
  read_on(*tail, text, cursor);
  ASSERT_TRUE(writer->append(", and more").ok());
  read_on(*tail, text, cursor);
  ASSERT_TRUE(writer->flush().ok());
  read_on(*tail, text, cursor);
  std::string said = "What nobody saw, and more";
  EXPECT_EQ(text, said);
  for (std::size_t i = 0; i < 2 * kMaxQueuedEvents; ++i) {
    ASSERT_TRUE(writer->append("x").ok());
    said += 'x';
  }
  read_on(*tail, text, cursor);
  ASSERT_TRUE(writer->flush().ok());
  read_on(*tail, text, cursor);
  EXPECT_EQ(text, said);
  EXPECT_EQ(cursor, *streams_->end("r"));
}

TEST_P(StoreContract, AnEventThatMayBeLostKeepsItsPlaceAndItsKey) {
  ASSERT_TRUE(streams_->publish_soon("r", "step.started", "{}", "step/1").ok());
  auto writer = *streams_->open("r", "1", 1);
  ASSERT_TRUE(writer->append("text").ok());
  ASSERT_TRUE(streams_->publish_soon("r", "step.started", R"({"again":true})", "step/1").ok());
  EXPECT_EQ(streams_->publish("r", "step.completed", "{}")->seq, 4u);
  EXPECT_THAT(types(*streams_->read("r", "", 100)),
              ::testing::ElementsAre("step.started", kDeltaEvent, kDeltaEvent, "step.completed"));
  // Nobody flushes: the interval does.
  ASSERT_TRUE(streams_->publish_soon("r", "step.started", "{}", "step/2").ok());
  while (streams_->read("r", "", 100)->events.size() < 5) std::this_thread::yield();
}

TEST_P(StoreContract, BadEventsAreRefused) {
  EXPECT_EQ(streams_->publish_soon("r", "delta", "{}").code(), Code::kInvalidArgument);
  EXPECT_EQ(streams_->publish("r", "delta", "{}").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(streams_->publish("", "x", "{}").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(streams_->publish("r", "x", std::string(kMaxEventBytes + 1, ' ')).error().code(),
            Code::kInvalidArgument);
}

TEST_P(StoreContract, EraseForgetsARun) {
  const Event event = *streams_->publish("r", "x", "{}");
  ASSERT_TRUE(streams_->erase({"r"}).ok());
  Result<EventPage> page = streams_->read("r", event.cursor, 100);
  EXPECT_TRUE(page->reset);
  EXPECT_TRUE(page->events.empty());
}

}  // namespace holdfast::platform
