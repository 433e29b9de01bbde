// OpenTelemetry's variables mean what they mean everywhere, and a wrong one is told without its value.

#include "otlp/settings.h"

#include <gtest/gtest.h>

#include <map>

namespace holdfast::otlp {
namespace {

Result<Settings> read(const std::map<std::string, std::string>& variables) {
  return read_settings([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Settings, NothingIsExportedUnasked) {
  EXPECT_EQ(read({})->url, "");
  EXPECT_EQ(read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"}, {"OTEL_SDK_DISABLED", "true"}})->url, "");
}

TEST(Settings, TheEndpointIsThatOfAllSignalsOrOfTraces) {
  EXPECT_EQ(read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/"}})->url, "http://c:4318/v1/traces");
  EXPECT_EQ(read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"},
                  {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t/x"}})
                ->url,
            "http://t/x");
}

TEST(Settings, HeadersAndResourceArePercentEncodedLists) {
  const auto settings = read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"},
                              {"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x=y, api-key=k"},
                              {"OTEL_RESOURCE_ATTRIBUTES", "service.name=one,team=a%2Cb"},
                              {"OTEL_SERVICE_NAME", "two"},
                              {"OTEL_BSP_SCHEDULE_DELAY", "50"},
                              {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true"}});
  ASSERT_TRUE(settings);
  ASSERT_EQ(settings->headers.size(), 2u);
  EXPECT_EQ(settings->headers[0].second, "Bearer x=y");
  EXPECT_EQ(settings->headers[1].first, "api-key");
  EXPECT_EQ(settings->service_name, "two");
  ASSERT_EQ(settings->resource.size(), 1u);
  EXPECT_EQ(settings->resource[0].second, "a,b");
  EXPECT_EQ(settings->delay.count(), 50);
  EXPECT_TRUE(settings->content);
}

// The same port of a collector reads both; whoever asked for the other one is told.
TEST(Settings, ProtobufBecomesJsonAndIsTold) {
  const auto settings =
      read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}});
  ASSERT_TRUE(settings);
  EXPECT_NE(settings->remark.find("OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"), std::string::npos);
  EXPECT_EQ(read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"}})
                ->remark,
            "");
}

TEST(Settings, AWrongOneIsRefusedWithoutItsValue) {
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"OTEL_EXPORTER_OTLP_HEADERS", "s3cret"},
                                          {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
                                          {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/xml"},
                                          {"OTEL_EXPORTER_OTLP_TIMEOUT", "soon"},
                                          {"OTEL_RESOURCE_ATTRIBUTES", "=s3cret"}}) {
    const auto settings = read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}, {name, value}});
    ASSERT_FALSE(settings) << name;
    EXPECT_EQ(settings.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(settings.error().message().find("s3cret"), std::string::npos);
    EXPECT_NE(settings.error().message().find(name), std::string::npos);
  }
  EXPECT_FALSE(read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"}}));
}

}  // namespace
}  // namespace holdfast::otlp
