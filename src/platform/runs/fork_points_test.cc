// A conversation can be forked where no call is without its answer, and the nearest such place is found. On
// the real store.

#include "runs/fork_points.h"

#include <gtest/gtest.h>

#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::runs {
namespace {

constexpr const char* kUser = R"({"role":"user","content":[{"type":"text","text":"go"}]})";
constexpr const char* kTwoCalls =
    R"({"role":"assistant","content":[],"tool_calls":[{"id":"c1","name":"a","arguments":"{\"x\": 1}"},)"
    R"({"id":"c2","name":"b","arguments":""}]})";
constexpr const char* kFirst = R"({"role":"tool","content":[],"tool_call_id":"c1"})";
constexpr const char* kSecond = R"({"role":"tool","content":[],"tool_call_id":"c2"})";
constexpr const char* kAnswer = R"({"role":"assistant","content":[{"type":"text","text":"done"}]})";

class ForkPoints : public ::testing::Test {
 protected:
  ForkPoints() {
    platform::SqliteOptions options;
    options.directory = directory_.path();
    auto opened = platform::open_sqlite(options, clock_, random_, flusher_);
    EXPECT_TRUE(opened) << opened.error().to_string();
    stores_ = std::move(*opened);
  }
  ~ForkPoints() override {
    stores_.outbox.reset();
    stores_.snapshots.reset();
    stores_.streams.reset();
    stores_.store.reset();
  }
  Points points(const std::vector<std::string>& messages) {
    return Points(*stores_.store,
                  stores_.store->append(platform::Store::empty_conversation("c"), messages)->head);
  }

  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  fixture::TemporaryDirectory directory_;
  os::ThreadExecutor flusher_{"flusher"};
  platform::OpenStores stores_;
};

TEST_F(ForkPoints, AreWhereNoCallIsWithoutItsAnswer) {
  Points at = points({kUser, kTwoCalls, kFirst, kSecond, kAnswer});
  const bool whole[] = {true, true, false, false, true, true};
  for (std::uint64_t i = 0; i < std::size(whole); ++i) EXPECT_EQ(*at.is_whole(i), whole[i]) << i;
  EXPECT_EQ(*at.whole_before(3), 1u);
  EXPECT_EQ(*at.whole_before(4), 4u);
  EXPECT_EQ(*at.end_of_turn(2), 4u);
  EXPECT_EQ(*at.end_of_turn(5), 5u);
}

TEST_F(ForkPoints, AreBeforeCallsThatNobodyHasAnswered) {
  Points at = points({kUser, kTwoCalls});
  EXPECT_FALSE(*at.is_whole(2));
  EXPECT_EQ(*at.whole_before(2), 1u);
  EXPECT_EQ(*at.end_of_turn(2), 2u);
}

TEST_F(ForkPoints, NameTheMessageByItsHash) {
  Points at = points({kUser, kAnswer});
  EXPECT_EQ(at.reference(0)->sha256, "");
  const platform::Reference first = *at.reference(1);
  EXPECT_EQ(first.sequence, 1u);
  EXPECT_EQ(stores_.store->append(first, {kAnswer})->head.branch, 1u);
}

TEST_F(ForkPoints, ReadCallsWhateverTheirSpaces) {
  Points at = points({kUser, kTwoCalls});
  const Line line = *at.at(2);
  ASSERT_EQ(line.calls.size(), 2u);
  EXPECT_EQ(line.calls[0].tool, "a");
  EXPECT_EQ(line.calls[0].id, "c1");
  platform::Message spaced;
  spaced.json = R"({"role":"assistant","tool_calls":[{"id":"d","name":"a","arguments":"{\"x\":1}"}]})";
  EXPECT_EQ(line_of(spaced).calls.at(0).arguments_sha256, line.calls[0].arguments_sha256);
  spaced.json = "no json";
  EXPECT_EQ(line_of(spaced).speaker, Speaker::kOther);
}

}  // namespace
}  // namespace holdfast::runs
