// What is counted is read as Prometheus wants it: in its own text and in OpenMetrics, bounded whatever the
// labels are. The texts are compared as they are; tests/api_e2e has them read by Prometheus' own client.

#include "metrics/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Registry, SaysItInPrometheusText) {
  Registry registry;
  registry.counter({"calls", "Calls of models.", "", {"model"}}).add({"gpt \"4\"\n\\"}, 2);
  registry.gauge({"held_bytes", "Bytes.", "bytes"}).set({}, 3e9);
  EXPECT_EQ(registry.read(Format::kText),
            "# HELP calls_total Calls of models.\n# TYPE calls_total counter\n"
            "calls_total{model=\"gpt \\\"4\\\"\\n\\\\\"} 2\n"
            "# HELP held_bytes Bytes.\n# TYPE held_bytes gauge\nheld_bytes 3000000000\n");
}

TEST(Registry, SaysItInOpenMetrics) {
  Registry registry;
  registry.counter({"calls", "Calls.", "", {}}).add({});
  registry.histogram({"wait_seconds", "Waits.", "seconds", {"key"}}, {0.5, 1}).observe({"k"}, 0.25);
  registry.histogram({"wait_seconds", "Waits.", "seconds", {"key"}}, {0.5, 1}).observe({"k"}, 1);
  registry.histogram({"wait_seconds", "Waits.", "seconds", {"key"}}, {0.5, 1}).observe({"k"}, 7);
  EXPECT_EQ(registry.read(Format::kOpenMetrics),
            "# HELP calls Calls.\n# TYPE calls counter\ncalls_total 1\n"
            "# HELP wait_seconds Waits.\n# TYPE wait_seconds histogram\n# UNIT wait_seconds seconds\n"
            "wait_seconds_bucket{key=\"k\",le=\"0.5\"} 1\nwait_seconds_bucket{key=\"k\",le=\"1.0\"} 2\n"
            "wait_seconds_bucket{key=\"k\",le=\"+Inf\"} 3\nwait_seconds_sum{key=\"k\"} 8.25\n"
            "wait_seconds_count{key=\"k\"} 3\n# EOF\n");
}

TEST(Registry, HasABoundForSeriesAndLabels) {
  Registry registry;
  Family& family = registry.counter({"calls", "Calls.", "", {"model"}});
  for (std::size_t i = 0; i < kMaxSeries + 100; ++i) family.add({std::to_string(i)});
  EXPECT_EQ(family.series().size(), kMaxSeries + 1);
  EXPECT_EQ(family.at({kOtherSeries}), 100);
  family.add({"7"});  // one that it has is still its own
  EXPECT_EQ(family.at({"7"}), 2);
  Family& long_one = registry.counter({"long", "Long.", "", {"l"}});
  long_one.add({std::string(10'000, 'x')});
  EXPECT_EQ(long_one.series().front().labels.front().size(), kMaxLabelBytes);
}

TEST(Registry, AsksThoseWhoKnowForAsLongAsTheyAreThere) {
  Registry registry;
  int asked = 0;
  auto handle = registry.on_read([&](Reading& out) { out.gauge({"waiting", "In line."}, ++asked); });
  EXPECT_THAT(registry.read(Format::kText), HasSubstr("\nwaiting 1\n"));
  EXPECT_THAT(registry.read(Format::kText), HasSubstr("\nwaiting 2\n"));
  handle.reset();
  EXPECT_THAT(registry.read(Format::kText), Not(HasSubstr("waiting")));
}

TEST(Registry, GivesWhatIsAskedFor) {
  EXPECT_EQ(format_for(""), Format::kText);
  EXPECT_EQ(format_for("*/*"), Format::kText);
  EXPECT_EQ(format_for("text/plain"), Format::kText);
  EXPECT_EQ(format_for("application/openmetrics-text; version=1.0.0"), Format::kOpenMetrics);
  EXPECT_EQ(format_for("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"),
            Format::kOpenMetrics);
  EXPECT_EQ(format_for("application/openmetrics-text;q=0.2,text/plain;q=0.3"), Format::kText);
}

}  // namespace
}  // namespace holdfast::metrics
