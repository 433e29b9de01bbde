// Whoever observes streams is told what is new in a log and durable, once, and nothing that was there before.

#include "platform/observed_streams.h"

#include <gtest/gtest.h>

#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::platform {
namespace {

TEST(ObservedStreams, TellWhatIsNew) {
  fixture::TemporaryDirectory base;
  fixture::ManualClock clock;
  os::SystemRandom random;
  os::ThreadExecutor flusher("flusher");
  for (int process = 1; process <= 2; ++process) {
    clock.ns += 1'000'000'000;
    SqliteOptions options;
    options.directory = base / "store";
    auto opened = open_sqlite(options, clock, random, flusher);
    ASSERT_TRUE(opened) << opened.error().to_string();
    ObservedStreams streams(std::move(opened->streams), clock);
    std::vector<std::string> told;
    streams.observe([&](const Event& event) { told.push_back(event.run + " " + event.type); });
    ASSERT_TRUE(streams.publish("r", "once", "1", "key"));
    clock.ns += 1'000'000;
    ASSERT_TRUE(streams.publish("r", "once", "1", "key"));
    ASSERT_TRUE(streams.publish("r", "each", "1", ""));
    ASSERT_TRUE(streams.publish_soon("r", "soon", "1", "").ok());
    const std::vector<std::string> first{"r once", "r each"};
    EXPECT_EQ(told, process == 1 ? first : std::vector<std::string>{"r each"});
    EXPECT_EQ(streams.read("r", "", 10)->events.front().type, "once") << "all else goes through";
    opened->snapshots.reset();
  }
}

}  // namespace
}  // namespace holdfast::platform
