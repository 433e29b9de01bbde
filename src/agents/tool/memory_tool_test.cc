// Goal: an agent remembers what it was told to, within its limits, and only ever about the subject that was
// bound. Method: calls of the tool on a real store.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"
#include "tool/read_tool.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MemoryTool : public ::testing::Test {
 protected:
  MemoryTool() {
    platform::SqliteOptions options;
    options.directory = directory_.path();
    auto opened = platform::open_sqlite(options, clock_, random_, flusher_);
    EXPECT_TRUE(opened) << opened.error().to_string();
    stores_ = std::move(*opened);
  }

  ToolEnding call(const ToolSpec& tool, const Json& arguments, const std::string& key = "",
                  const std::string& conversation = "c") {
    protocol::PlannedCall planned;
    if (auto bad = tool.type->plan({tool, arguments, clock_.now()}, planned)) return {Ending::kFailed, *bad};
    ToolContext context;
    context.idempotency_key = key.empty() ? "k" + std::to_string(++calls_) : key;
    context.store = stores_.store.get();
    context.run = "r";
    context.agent = "refund";
    context.conversation = conversation;
    return find_activity_tool("memory")->run(tool, arguments, context);
  }
  static Json note(std::string_view name, std::string_view text) {
    return {{"operation", "store"}, {"name", name}, {"text", text}};
  }

  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  fixture::TemporaryDirectory directory_;
  os::ThreadExecutor flusher_{"flusher"};
  platform::OpenStores stores_;
  int calls_ = 0;
};

TEST_F(MemoryTool, WhatIsStoredIsFoundAndToldAsData) {
  const ToolSpec tool = read_tool("{name: notes, type: memory}");
  EXPECT_EQ(tool.effect, Effect::kIdempotent);
  EXPECT_EQ(call(tool, note("delivery", "Ada wants parcels left with Mr Jansen")).text,
            R"({"stored":"delivery","version":1})");
  EXPECT_EQ(call(tool, note("delivery", "Ada moved; ask again"), "again").text,
            R"({"stored":"delivery","version":2})");
  EXPECT_EQ(call(tool, note("delivery", "Ada moved; ask again"), "again").text,
            R"({"stored":"delivery","version":2})");
  const Json found = Json::parse(call(tool, {{"operation", "search"}, {"query", "ADA"}}).text);
  EXPECT_THAT(found["note"].get<std::string>(), HasSubstr("data"));
  ASSERT_EQ(found["entries"].size(), 1u);
  EXPECT_EQ(found["entries"][0]["text"], "Ada moved; ask again");
  EXPECT_EQ(Json::parse(call(tool, {{"operation", "list"}}).text)["entries"][0]["begins"],
            "Ada moved; ask again");
  EXPECT_EQ(call(tool, {{"operation", "forget"}, {"name", "delivery"}}).ending, Ending::kDone);
  EXPECT_EQ(call(tool, {{"operation", "forget"}, {"name", "delivery"}}).ending, Ending::kDone);
  EXPECT_EQ(Json::parse(call(tool, {{"operation", "list"}}).text)["entries"].size(), 0u);
}

TEST_F(MemoryTool, ASubjectIsBoundAndNeverTheModels) {
  const ToolSpec fixed = read_tool("{name: notes, type: memory, memory: {subject: shop}}");
  const ToolSpec own = read_tool("{name: notes, type: memory, memory: {per: conversation}}");
  call(fixed, note("a", "of the shop"));
  call(own, note("a", "of the conversation"));
  EXPECT_EQ(stores_.store->memories("shop", "", 10)->at(0).text, "of the shop");
  EXPECT_EQ(stores_.store->memories("conversation:c", "", 10)->at(0).text, "of the conversation");
  EXPECT_EQ(Json::parse(call(own, {{"operation", "list"}}, "", "d").text)["entries"].size(), 0u);
  EXPECT_FALSE(fixed.parameters["properties"].contains("subject"));
}

TEST_F(MemoryTool, LimitsAndOperationsAreTheDefinitions) {
  const ToolSpec tool = read_tool(
      "{name: notes, type: memory, memory: {operations: [search, store], max_entries: 1, max_bytes: 1024}}");
  EXPECT_EQ(call(tool, note("a", "first")).ending, Ending::kDone);
  const ToolEnding full = call(tool, note("b", "second"));
  EXPECT_EQ(full.ending, Ending::kFailed);
  EXPECT_THAT(full.text, HasSubstr("forget one"));
  EXPECT_THAT(call(tool, {{"operation", "forget"}, {"name", "a"}}).text, HasSubstr("not an operation"));
  EXPECT_THAT(call(tool, {{"operation", "store"}, {"name", "a"}}).text, HasSubstr("`name` and `text`"));
  EXPECT_THAT(tool.parameters["properties"]["operation"]["enum"].dump(), Not(HasSubstr("forget")));
  EXPECT_EQ(read_tool("{name: n, type: memory, memory: {operations: [list]}}").effect, Effect::kPure);
}

}  // namespace
}  // namespace holdfast::agent
