// Goal: an operator's limits are read whole, or he is told every mistake with its place. Method: files
// through parse_limits_file.

#include "activities/limits_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kHead = "apiVersion: holdfast.dev/v1\nkind: Limits\n";

std::string error_of(std::string_view rest) {
  auto read = parse_limits_file(std::string(kHead) + std::string(rest), "limits.yaml");
  return read ? "" : read.error().message();
}

TEST(LimitsFile, SaysWhatEachKeyMayBeUsedFor) {
  auto read = parse_limits_file(std::string(kHead) + R"(
concurrency: 7
breaker: {failures: 3, window: 10s, open_for: 5s}
limits:
  - {key: OPENAI_API_KEY, host: API.openai.com, model: gpt-4o, requests_per_minute: 500, tokens_per_minute: 200000}
  - {host: "localhost:11434", concurrency: 2}
)",
                                "limits.yaml");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->limits.concurrency, 7u);
  EXPECT_EQ(read->breaker.failures, 3);
  EXPECT_EQ(read->breaker.open_for, std::chrono::seconds(5));
  ASSERT_EQ(read->limits.list.size(), 2u);
  EXPECT_EQ(read->limits.list[0].name(), "OPENAI_API_KEY@api.openai.com gpt-4o");
  EXPECT_EQ(read->limits.list[0].requests_per_minute, 500);
  EXPECT_EQ(read->limits.list[0].tokens_per_minute, 200'000);
  EXPECT_EQ(read->limits.list[0].concurrency, model::kDefaultConcurrency);
  EXPECT_EQ(read->limits.list[1].name(), "localhost:11434");
  EXPECT_EQ(read->limits.list[1].concurrency, 2u);
}

TEST(LimitsFile, MistakesHaveTheirPlace) {
  EXPECT_THAT(error_of("limits: [{requests_per_minute: 5}]"), HasSubstr("`limits[0].key` is missing"));
  EXPECT_THAT(error_of("limits: [{key: sk-abc}]"), HasSubstr("not a key"));
  EXPECT_THAT(error_of("limits: [{host: 'https://x/'}]"), HasSubstr("names a host alone"));
  EXPECT_THAT(error_of("limits: [{host: x, concurrency: 0}]"), HasSubstr("limits.yaml:3:33"));
  EXPECT_THAT(error_of("limits: [{host: x, rpm: 5}]"), HasSubstr("unknown key `limits[0].rpm`"));
  EXPECT_THAT(error_of("limits: [{host: x}, {host: X}]"), HasSubstr("there is a limit of x already"));
  EXPECT_THAT(error_of("breaker: {failures: none}"), HasSubstr("`breaker.failures`"));
  EXPECT_THAT(parse_limits_file("kind: Grants", "l.yaml").error().message(), HasSubstr("use Limits"));
  EXPECT_THAT(parse_limits_file("a: [", "l.yaml").error().message(), HasSubstr("broken YAML"));
}

}  // namespace
}  // namespace holdfast::agent
