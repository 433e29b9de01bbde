// Spans carry the names of OpenTelemetry's conventions for generative AI, and content only when it is asked
// for. tests/api_e2e has the requests read by OpenTelemetry's own messages.

#include "otlp/span_json.h"

#include <gtest/gtest.h>

#include <map>

#include "base/json.h"

namespace holdfast::otlp {
namespace {

platform::TraceContext trace() {
  platform::TraceContext out;
  out.trace_id = std::string(32, 'a');
  return out;
}

runs::TraceSpan span_of(runs::SpanKind kind, const char* name) {
  runs::TraceSpan out;
  out.kind = kind;
  out.status = runs::SpanStatus::kOk;
  out.step = 2;
  out.attempt = 1;
  out.name = name;
  out.begun = WallTime(std::chrono::nanoseconds(1'000'000'001));
  out.ended = WallTime(std::chrono::nanoseconds(2'000'000'002));
  return out;
}

std::map<std::string, Json> attributes(const Json& span) {
  std::map<std::string, Json> out;
  for (const Json& one : span["attributes"]) out[one["key"]] = one["value"];
  return out;
}

TEST(SpanJson, AModelCallIsAChat) {
  runs::TraceSpan span = span_of(runs::SpanKind::kModel, "gemini-2");
  span.more = Json::parse(
      R"({"provider":"gemini","server":"models.example:8443","usage":{"input_tokens":7,"output_tokens":3,
          "cached_input_tokens":2,"cache_write_tokens":1,"reasoning_tokens":1},"cost":{"usd":"0.25"},"stop":"end"})");
  span.content = Json::parse(R"({"text":"hello"})");
  const Json out = span_json(trace(), "r", span, "payer", "c", false);
  EXPECT_EQ(out["name"], "chat gemini-2");
  EXPECT_EQ(out["kind"], 3);
  EXPECT_EQ(out["startTimeUnixNano"], "1000000001");
  EXPECT_EQ(out["traceId"], std::string(32, 'a'));
  EXPECT_EQ(out["parentSpanId"], platform::run_span_id(trace().trace_id, "r"));
  const auto has = attributes(out);
  EXPECT_EQ(has.at("gen_ai.operation.name")["stringValue"], "chat");
  EXPECT_EQ(has.at("gen_ai.provider.name")["stringValue"], "gcp.gemini");
  EXPECT_EQ(has.at("gen_ai.request.model")["stringValue"], "gemini-2");
  EXPECT_EQ(has.at("gen_ai.usage.input_tokens")["intValue"], "7");
  EXPECT_EQ(has.at("gen_ai.usage.cache_read.input_tokens")["intValue"], "2");
  EXPECT_EQ(has.at("gen_ai.usage.cache_write.input_tokens")["intValue"], "1");
  EXPECT_EQ(has.at("gen_ai.usage.reasoning.output_tokens")["intValue"], "1");
  EXPECT_EQ(has.at("gen_ai.response.finish_reasons")["arrayValue"]["values"][0]["stringValue"], "end");
  EXPECT_EQ(has.at("server.address")["stringValue"], "models.example");
  EXPECT_EQ(has.at("server.port")["intValue"], "8443");
  EXPECT_EQ(has.at("holdfast.cost.usd")["doubleValue"], 0.25);
  EXPECT_FALSE(has.contains("gen_ai.output.messages"));
  const auto told = attributes(span_json(trace(), "r", span, "payer", "c", true));
  EXPECT_EQ(
      Json::parse(
          told.at("gen_ai.output.messages")["stringValue"].get<std::string>())[0]["parts"][0]["content"],
      "hello");
}

TEST(SpanJson, AToolsFailureIsNamedAndNotQuoted) {
  runs::TraceSpan span = span_of(runs::SpanKind::kTool, "pay");
  span.more = Json::parse(R"({"type":"sql","key":"k1"})");
  span.status = runs::SpanStatus::kError;
  span.error_type = "ToolError";
  span.error = "row of customer 7";
  const Json out = span_json(trace(), "r", span, "payer", "c", false);
  EXPECT_EQ(out["name"], "execute_tool pay");
  EXPECT_EQ(out["kind"], 1);
  EXPECT_EQ(out["status"], Json::parse(R"({"code":2})"));
  const auto has = attributes(out);
  EXPECT_EQ(has.at("gen_ai.tool.name")["stringValue"], "pay");
  EXPECT_EQ(has.at("gen_ai.tool.type")["stringValue"], "datastore");
  EXPECT_EQ(has.at("error.type")["stringValue"], "ToolError");
  EXPECT_EQ(span_json(trace(), "r", span, "payer", "c", true)["status"]["message"], "row of customer 7");
}

TEST(SpanJson, ARunIsAnInvokedAgent) {
  runs::TraceSpan span = span_of(runs::SpanKind::kRun, "payer");
  span.step = 0;
  span.attempt = 0;
  span.status = runs::SpanStatus::kError;
  span.error_type = "Terminated";
  span.more = Json::parse(R"({"version":"v1","status":"terminated","reason":"terminated"})");
  const Json out = span_json(trace(), "r", span, "payer", "c", false);
  EXPECT_EQ(out["name"], "invoke_agent payer");
  EXPECT_FALSE(out.contains("parentSpanId"));
  const auto has = attributes(out);
  EXPECT_EQ(has.at("gen_ai.operation.name")["stringValue"], "invoke_agent");
  EXPECT_EQ(has.at("gen_ai.agent.name")["stringValue"], "payer");
  EXPECT_EQ(has.at("gen_ai.conversation.id")["stringValue"], "c");
  EXPECT_EQ(has.at("holdfast.run.reason")["stringValue"], "terminated");
}

}  // namespace
}  // namespace holdfast::otlp
