// Goal: of an output that is too large a model sees beginning and end, and reads the rest, whatever it is.
// Method: a real store; the calls that a model would make.

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/builtin_tools.h"
#include "activities/large_output.h"
#include "activities/read_blob.h"
#include "base/text.h"
#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "holdfast/failure.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::agent {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class LargeOutputTest : public ::testing::Test {
 protected:
  LargeOutputTest() {
    platform::SqliteOptions options;
    options.directory = directory_.path();
    auto opened = platform::open_sqlite(options, clock_, random_, flusher_);
    EXPECT_TRUE(opened) << opened.error().to_string();
    stores_ = std::move(*opened);
    agent_.limits.max_tool_output_bytes = 1000;
  }

  std::string fit(const std::string& text, std::size_t limit = 1000) {
    LargeOutput how;
    how.run = "r";
    how.conversation = "c";
    how.limit = limit;
    how.readable = true;
    return fit_output(*stores_.store, how, text, record_);
  }
  ToolEnding read(Json arguments, const std::string& run = "r", const std::string& conversation = "c") {
    arguments["output"] = record_["output"]["sha256"].get<std::string>().substr(0, kOutputIdCharacters);
    return kReadOutput.run({agent_, arguments, *stores_.store, run, conversation, [] {}});
  }

  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  fixture::TemporaryDirectory directory_;
  os::ThreadExecutor flusher_{"flusher"};
  platform::OpenStores stores_;
  AgentDefinition agent_;
  Json record_ = Json::object();
};

std::string lines(int count) {
  std::string out;
  for (int i = 1; i <= count; ++i) out += "line " + std::to_string(i) + "\n";
  return out;
}

TEST_F(LargeOutputTest, WhatFitsIsLeftAsItIs) {
  EXPECT_EQ(fit(std::string(1000, 'x')), std::string(1000, 'x'));
  EXPECT_FALSE(record_.contains("output"));
}

TEST_F(LargeOutputTest, BeginningAndEndAreShownAndAllIsKept) {
  const std::string text = lines(100'000);
  const std::string seen = fit(text);
  EXPECT_LE(seen.size(), 1000u);
  EXPECT_THAT(seen, HasSubstr("1088895 bytes"));
  EXPECT_THAT(seen, HasSubstr("text/plain"));
  EXPECT_THAT(seen, HasSubstr("read_output"));
  EXPECT_THAT(seen, HasSubstr("]\nline 1\nline 2\n"));
  EXPECT_THAT(seen, EndsWith("line 100000\n"));
  EXPECT_EQ(record_["output"]["bytes"], text.size());
  EXPECT_THAT(fit(text, 256), StartsWith("[This output has")) << "a limit that is hardly one";
}

TEST_F(LargeOutputTest, IsReadByBytesToItsEnd) {
  const std::string text = lines(2000);
  fit(text);
  std::string all;
  std::uint64_t offset = 0;
  for (int i = 0; i < 100 && offset < text.size(); ++i) {
    const ToolEnding part = read({{"offset", offset}});
    ASSERT_EQ(part.ending, Ending::kDone) << part.text;
    ASSERT_LE(part.text.size(), 1000u);
    const std::string body = part.text.substr(part.text.find("]\n") + 2);
    all += body;
    offset += body.size();
  }
  EXPECT_EQ(all, text);
  EXPECT_EQ(read({{"offset", text.size()}}).ending, Ending::kFailed);
  EXPECT_THAT(read({{"offset", 7}, {"length", 6}}).text, HasSubstr("[bytes 7 to 13 of"));
}

TEST_F(LargeOutputTest, CharactersStayWhole) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "\xe6\x97\xa5\xf0\x9f\x98\x80";
  EXPECT_TRUE(is_utf8(fit(text)));
  for (int offset = 0; offset < 8; ++offset) {
    for (int length = 7; length < 15; ++length)
      EXPECT_TRUE(is_utf8(read({{"offset", offset}, {"length", length}}).text)) << offset << " " << length;
  }
  EXPECT_TRUE(is_utf8(fit(std::string(5000, '\xff'))));
}

TEST_F(LargeOutputTest, IsReadByLines) {
  fit(lines(100'000));
  EXPECT_EQ(read({{"line", 99'999}, {"lines", 5}}).text, "[lines from 99999 on]\nline 99999\nline 100000\n");
  EXPECT_EQ(read({{"line", 2}, {"lines", 1}}).text, "[lines from 2 on]\nline 2\n");
  EXPECT_THAT(read({{"line", 5}, {"lines", 10'000}}).text, HasSubstr("cut"));
  EXPECT_EQ(read({{"line", 200'000}}).ending, Ending::kFailed);
  fit(std::string(300'000, 'x'));
  const ToolEnding one = read({{"line", 1}});
  EXPECT_LE(one.text.size(), 1000u);
  EXPECT_THAT(one.text, HasSubstr("cut"));
}

TEST_F(LargeOutputTest, ALineThatIsCutSaysWhereItGoesOn) {
  std::string text = "short\n";
  for (int i = 0; i < 40'000; ++i) text += "\xc3\xa9" + std::to_string(i) + ",";
  fit(text);
  const ToolEnding line = read({{"line", 2}, {"lines", 1}});
  EXPECT_LE(line.text.size(), 1000u);
  const std::string shown = line.text.substr(line.text.find("]\n") + 2);
  EXPECT_TRUE(is_utf8(shown));
  const std::uint64_t end = 6 + shown.size();
  EXPECT_THAT(line.text, HasSubstr("go on with offset " + std::to_string(end) + "]"));
  const std::string next = read({{"offset", end}}).text;
  EXPECT_EQ(text.substr(6, shown.size() + 20), shown + next.substr(next.find("]\n") + 2, 20));
  EXPECT_THAT(read({{"line", 1}, {"lines", 1}}).text, Not(HasSubstr("cut")));
  EXPECT_THAT(read({{"line", 1}, {"lines", ~std::uint64_t{0}}}).text, HasSubstr("cut"));
}

TEST_F(LargeOutputTest, WhoeverGoesOnGetsOn) {
  fit("\xf0\x9f\x98\x80" + lines(1000));
  EXPECT_THAT(read({{"offset", 0}, {"length", 1}}).text, HasSubstr("[bytes 0 to 8 of"));
  EXPECT_THAT(read({{"offset", 2}, {"length", 1}}).text, HasSubstr("[bytes 4 to 10 of"));
  EXPECT_THAT(read({{"offset", 4}, {"length", 1}}).text, HasSubstr("[bytes 4 to 5 of"));
}

// Also where pieces of the store meet.
TEST_F(LargeOutputTest, ASearchSaysWhere) {
  std::string text = lines(60'000);
  const std::size_t place = platform::kBlobPiece - 3;
  text.replace(place, 7, "NEEDLE!");
  fit(text);
  const Json found = Json::parse(read({{"search", "needle"}}).text);
  ASSERT_EQ(found["matches"].size(), 1u);
  EXPECT_EQ(found["matches"][0]["offset"], place);
  EXPECT_EQ(found["matches"][0]["line"],
            1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(place), '\n'));
  EXPECT_THAT(found["matches"][0]["text"].get<std::string>(), HasSubstr("NEEDLE!"));
  const Json last = Json::parse(read({{"search", "line 60000"}}).text);
  EXPECT_EQ(last["matches"][0]["line"], std::count(text.begin(), text.end(), '\n'));
  const Json many = Json::parse(read({{"search", "line"}}).text);
  EXPECT_TRUE(many.contains("more"));
  EXPECT_THAT(read({{"search", "nowhere"}}).text, HasSubstr("does not stand"));
}

TEST_F(LargeOutputTest, IsForItsRunAndItsConversation) {
  fit(lines(1000));
  EXPECT_EQ(read(Json::object(), "later", "c").ending, Ending::kDone);
  EXPECT_EQ(read(Json::object(), "other", "d").ending, Ending::kFailed);
}

TEST_F(LargeOutputTest, WhatCannotBeKeptIsCutAndSaysSo) {
  const std::string seen = fit(std::string(platform::kMaxBlobBytes + 1, 'x'));
  EXPECT_LE(seen.size(), 1200u);
  EXPECT_THAT(seen, HasSubstr("not kept"));
  EXPECT_THAT(seen, Not(HasSubstr("read_output")));
  EXPECT_FALSE(record_.contains("output"));
}

TEST(KeptText, IsWhatTheRecordSaysOrAnError) {
  EXPECT_FALSE(kept_text({{"text", "all of it"}}));
  const auto kept = kept_text({{"text", "the beg"}, {"output", {{"sha256", "ab"}, {"bytes", 9}}}});
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->sha256, "ab");
  EXPECT_EQ(kept->bytes, 9);
  for (const char* damaged : {"null", "7", "{}", R"({"bytes":9})", R"({"sha256":"ab"})",
                              R"({"sha256":"ab","bytes":-1})", R"({"sha256":"ab","bytes":"9"})"}) {
    const nlohmann::json record = {{"text", "the beg"}, {"output", nlohmann::json::parse(damaged)}};
    EXPECT_THROW(kept_text(record), ApplicationFailure) << damaged;
  }
}

}  // namespace
}  // namespace holdfast::agent
