// Goal: a turn reads what is new, whatever was said before, and never takes one conversation for another.
// Method: a real store; what must not be read again is taken out of its file.

#include "activities/transcript.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "holdfast/failure.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"
#include "sqlite/database.h"

namespace holdfast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class TranscriptsTest : public ::testing::Test {
 protected:
  TranscriptsTest() {
    platform::SqliteOptions options;
    options.directory = directory_.path();
    auto opened = platform::open_sqlite(options, clock_, random_, flusher_);
    EXPECT_TRUE(opened) << opened.error().to_string();
    stores_ = std::move(*opened);
    transcripts_.emplace(stores_.store.get());
  }
  platform::Reference say(const platform::Reference& at, const std::vector<std::string>& texts) {
    std::vector<std::string> messages;
    for (const std::string& text : texts) messages.push_back(model::to_json(model::Message::user(text)));
    return stores_.store->append(at, messages)->head;
  }
  static platform::Reference nothing() { return platform::Store::empty_conversation("c"); }
  TranscriptPtr read(const platform::Reference& head) {
    return transcripts_->read(head, [] {});
  }
  static std::vector<std::string> texts(const TranscriptPtr& transcript) {
    std::vector<std::string> out;
    for (const SaidPtr& said : transcript->said) out.push_back(said->message.text());
    return out;
  }
  void change(const std::string& sql) {
    sqlite::Database db;
    ASSERT_TRUE(db.open(directory_ / "platform.db").ok());
    ASSERT_TRUE(db.execute(sql.c_str()).ok());
  }

  fixture::TemporaryDirectory directory_;
  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  os::ThreadExecutor flusher_{"flusher"};
  platform::OpenStores stores_;
  std::optional<Transcripts> transcripts_;
};

TEST_F(TranscriptsTest, ATurnReadsWhatIsNew) {
  std::vector<std::string> many;
  for (int i = 0; i < 900; ++i) many.push_back(std::to_string(i));
  const platform::Reference head = say(nothing(), many);
  EXPECT_EQ(texts(read(head)), many);
  // Whoever reads those again does not find them.
  change("DELETE FROM messages WHERE sequence < 900");
  const platform::Reference next = say(head, {"a", "b"});
  many.insert(many.end(), {"a", "b"});
  EXPECT_EQ(texts(read(next)), many);
  EXPECT_EQ(texts(read(next)), many);
}

TEST_F(TranscriptsTest, WhatThisProcessWroteIsNotReadAgain) {
  const auto write = [&](const platform::Reference& at, const std::string& text) {
    const std::string message = model::to_json(model::Message::user(text));
    const platform::Reference head = stores_.store->append(at, {message})->head;
    transcripts_->wrote(at, {message}, head);
    return head;
  };
  const platform::Reference first = write(nothing(), "a");
  const platform::Reference head = write(first, "b");
  change("DELETE FROM messages");
  EXPECT_THAT(texts(read(head)), ElementsAre("a", "b"));
  EXPECT_EQ(transcripts_->last(head)->message.text(), "b");
  // Of another place, or of the same place with something else at it, nothing is said.
  EXPECT_EQ(transcripts_->last(first), nullptr);
  platform::Reference other = head;
  other.sha256 = first.sha256;
  EXPECT_EQ(transcripts_->last(other), nullptr);
}

TEST_F(TranscriptsTest, WhatWasWrittenBehindSomethingElseIsRead) {
  const platform::Reference start = say(nothing(), {"a"});
  const platform::Reference main = say(start, {"b"});
  EXPECT_THAT(texts(read(main)), ElementsAre("a", "b"));
  const std::string message = model::to_json(model::Message::user("x"));
  const platform::Reference fork = stores_.store->append(start, {message})->head;
  transcripts_->wrote(start, {message}, fork);  // what is kept is the other branch
  EXPECT_EQ(transcripts_->last(fork), nullptr);
  EXPECT_THAT(texts(read(fork)), ElementsAre("a", "x"));
  EXPECT_EQ(transcripts_->last(fork)->message.text(), "x");
}

TEST_F(TranscriptsTest, ABranchIsNotTakenForTheOther) {
  const platform::Reference start = say(nothing(), {"a"});
  const platform::Reference main = say(start, {"b", "c"});
  const platform::Reference fork = say(start, {"x"});
  EXPECT_THAT(texts(read(main)), ElementsAre("a", "b", "c"));
  EXPECT_THAT(texts(read(fork)), ElementsAre("a", "x"));
  const platform::Reference more = say(fork, {"y", "z"});
  EXPECT_THAT(texts(read(main)), ElementsAre("a", "b", "c"));
  EXPECT_THAT(texts(read(more)), ElementsAre("a", "x", "y", "z"));
  EXPECT_THAT(texts(read(nothing())), SizeIs(0));
}

TEST_F(TranscriptsTest, BehindASummaryNothingIsReadButTheFirst) {
  std::vector<std::string> many;
  for (int i = 1; i <= 700; ++i) many.push_back(std::to_string(i));
  platform::Reference head = say(nothing(), many);
  Summary summary;
  summary.text = "much";
  summary.from = 2;
  summary.to = 698;
  head = stores_.store->append(head, {to_json(summary)})->head;
  head = say(head, {"on"});
  change("DELETE FROM messages WHERE sequence BETWEEN 2 AND 450");
  const TranscriptPtr cold = read(head);
  EXPECT_EQ(cold->first->message.text(), "1");
  EXPECT_EQ(cold->summary->text, "much");
  EXPECT_THAT(texts(cold), ElementsAre("699", "700", "on"));
  // And one that comes later, to a transcript that is kept.
  summary.to = 700;
  summary.text = "more";
  head = stores_.store->append(head, {to_json(summary)})->head;
  const TranscriptPtr warm = read(head);
  EXPECT_EQ(warm->summary->text, "more");
  EXPECT_EQ(warm->first->message.text(), "1");
  EXPECT_THAT(texts(warm), ElementsAre("on"));
}

TEST_F(TranscriptsTest, WhatIsKeptIsBounded) {
  const std::string large(3 << 20, 'x');
  for (int i = 0; i < 12; ++i) {
    platform::Reference at = platform::Store::empty_conversation(std::to_string(i));
    EXPECT_THAT(texts(read(say(at, {large}))), SizeIs(1));
  }
  change("DELETE FROM messages");
  EXPECT_NO_THROW((void)read(*stores_.store->head("11", 0)));
  // The oldest is gone, and is looked for in the store.
  EXPECT_THROW((void)read(*stores_.store->head("0", 0)), ApplicationFailure);
}

}  // namespace
}  // namespace holdfast::agent
