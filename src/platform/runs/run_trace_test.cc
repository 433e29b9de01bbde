// A trace says what was done, when, how often, and what went wrong, from the events of a log alone.

#include "runs/run_trace.h"

#include <gtest/gtest.h>

namespace holdfast::runs {
namespace {

using std::chrono::milliseconds;

class Log {
 public:
  RunTrace& trace() { return trace_; }
  Log& at(int ms) {
    now_ = WallTime(std::chrono::seconds(1'000'000) + milliseconds(ms));
    return *this;
  }
  Log& add(const char* type, const char* data) {
    platform::Event event;
    event.run = "r";
    event.seq = ++seq_;
    event.type = type;
    event.data = data;
    event.at = now_;
    trace_.apply(event);
    return *this;
  }

 private:
  RunTrace trace_;
  std::uint64_t seq_ = 0;
  WallTime now_{};
};

double took_ms(const TraceSpan& span) {
  return std::chrono::duration<double, std::milli>(*span.ended - span.begun).count();
}

TEST(RunTrace, HasASpanForEachAttempt) {
  Log log;
  log.at(0).add("run.started", R"({"agent":"payer","version":"v1","input":"secret","conversation":"c"})");
  log.at(10).add("step.started", R"({"step":1,"kind":"model","name":"gpt","attempt":1,"provider":"openai"})");
  log.at(30).add(
      "step.retrying",
      R"({"step":1,"attempt":1,"error_type":"RateLimitedError","error":"slow down","http_status":429,"retry_after_ms":50})");
  EXPECT_EQ(log.trace().retries().at(1).next_ms, 50);
  log.at(80).add("step.started", R"({"step":1,"kind":"model","name":"gpt","attempt":2,"provider":"openai"})");
  log.at(100).add(
      "step.completed",
      R"({"step":1,"kind":"model","name":"gpt","text":"I pay","usage":{"input_tokens":7,"output_tokens":3},"cost":{"usd":"0.1"},"stop":"tool_calls"})");
  log.at(110).add("step.started",
                  R"({"step":2,"kind":"sql","name":"pay","arguments":"{}","attempt":1,"key":"k"})");
  log.at(120).add("step.completed",
                  R"({"step":2,"kind":"sql","name":"pay","result":"no such table","is_error":true})");
  log.at(200).add("run.completed", R"({"output":"done","iterations":2})");
  log.at(210).add("run.closed", R"({"status":"completed","reason":"completed","result":{"output":"done"}})");
  const auto spans = log.trace().spans();
  ASSERT_EQ(spans.size(), 4u);
  EXPECT_EQ(spans[0].kind, SpanKind::kRun);
  EXPECT_EQ(spans[0].name, "payer");
  EXPECT_EQ(spans[0].status, SpanStatus::kOk);
  EXPECT_EQ(took_ms(spans[0]), 210);
  EXPECT_FALSE(spans[0].more.contains("input"));
  EXPECT_EQ(spans[1].status, SpanStatus::kError);
  EXPECT_EQ(spans[1].error_type, "RateLimitedError");
  EXPECT_EQ(spans[1].attempt, 1);
  EXPECT_EQ(took_ms(spans[1]), 20);
  EXPECT_EQ(spans[2].status, SpanStatus::kOk);
  EXPECT_EQ(spans[2].attempt, 2);
  EXPECT_EQ(spans[2].more["provider"], "openai");
  EXPECT_EQ(spans[2].more["usage"]["input_tokens"], 7);
  EXPECT_EQ(spans[3].error_type, "ToolError");
  EXPECT_EQ(spans[3].more["type"], "sql");
  const auto report = trace_report(log.trace(), spans);
  EXPECT_EQ(report["totals"]["model_attempts"], 2);
  EXPECT_EQ(report["totals"]["retries"], 1);
  EXPECT_EQ(report["totals"]["input_tokens"], 7);
  EXPECT_TRUE(report["failure"].is_null()) << "the model went on behind the tool's failure";
  EXPECT_TRUE(report["now"].is_null());
}

TEST(RunTrace, ExplainsAFailure) {
  Log log;
  log.at(0).add("run.started", R"({"agent":"payer"})");
  log.at(10).add("step.started", R"({"step":1,"kind":"model","name":"gpt","attempt":1})");
  log.at(20).add("step.retrying", R"({"step":1,"attempt":1,"error_type":"OverloadedError","error":"busy"})");
  log.at(30).add("step.started", R"({"step":1,"kind":"model","name":"gpt","attempt":2})");
  log.at(40).add(
      "step.failed",
      R"({"step":1,"attempt":2,"error_type":"AuthError","error":"key OPENAI_API_KEY is refused"})");
  log.at(50).add("run.failed", R"({"error_type":"AuthError","error":"key OPENAI_API_KEY is refused"})");
  log.at(60).add(
      "run.closed",
      R"({"status":"failed","reason":"auth","error":{"type":"AuthError","message":"key OPENAI_API_KEY is refused"}})");
  const auto report = trace_report(log.trace(), log.trace().spans());
  EXPECT_EQ(report["failure"]["reason"], "auth");
  EXPECT_EQ(report["failure"]["step"], 1);
  EXPECT_EQ(report["failure"]["attempts"], 2);
  const std::string text = report["failure"]["explanation"];
  EXPECT_NE(text.find("step 1, the model call of gpt, failed 2 times since"), std::string::npos) << text;
  EXPECT_NE(text.find("AuthError: key OPENAI_API_KEY is refused"), std::string::npos) << text;
}

TEST(RunTrace, SaysWhereTheRunIs) {
  Log log;
  log.at(0).add("run.started", R"({"agent":"payer"})");
  log.at(10).add("approval.requested", R"({"approval":"a1","step":2,"tool":"pay","reason":"money"})");
  log.at(11).add("step.waiting", R"({"step":3,"kind":"model","attempt":1,"limit":"KEY@host"})");
  log.at(20).add("run.paused", R"({"reason":"lunch","by":"ada"})");
  auto now = trace_report(log.trace(), log.trace().spans())["now"];
  ASSERT_EQ(now.size(), 3u);
  EXPECT_EQ(now[0]["state"], "waits for a person");
  EXPECT_EQ(now[1]["state"], "paused");
  EXPECT_EQ(now[2]["state"], "waits for the limit of KEY@host");
  log.at(30).add("approval.decided",
                 R"({"approval":"a1","step":2,"tool":"pay","outcome":"approved","decided_by":"mara"})");
  log.at(31).add("run.resumed", R"({"from":"paused","by":"ada"})");
  const auto ended = log.trace().take_ended();
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0].more["decided_by"], "mara");
  EXPECT_EQ(took_ms(ended[0]), 20);
  EXPECT_EQ(ended[1].kind, SpanKind::kHold);
  EXPECT_TRUE(log.trace().take_ended().empty());
}

TEST(RunTrace, AnAttemptOfADeadProcessIsInterrupted) {
  Log log;
  log.at(0).add("run.started", R"({"agent":"payer"})");
  log.at(10).add("step.started", R"({"step":1,"kind":"sql","name":"pay","attempt":1})");
  log.at(500).add("step.started", R"({"step":1,"kind":"sql","name":"pay","attempt":2})");
  log.at(510).add(
      "run.closed",
      R"({"status":"terminated","reason":"terminated","error":{"type":"Terminated","message":"the run was terminated"}})");
  const auto ended = log.trace().take_ended();
  ASSERT_EQ(ended.size(), 3u);
  EXPECT_EQ(ended[0].status, SpanStatus::kInterrupted);
  EXPECT_EQ(ended[1].status, SpanStatus::kStopped);
  EXPECT_EQ(ended[2].kind, SpanKind::kRun);
  EXPECT_EQ(ended[2].error_type, "Terminated");
}

TEST(RunTrace, WhatCodeCallsStandsBelowIt) {
  Log log;
  log.at(0).add("run.started", R"({"agent":"payer"})");
  log.at(10).add("step.started", R"({"step":2,"kind":"code","name":"run_code","attempt":1})");
  log.at(11).add("approval.requested", R"({"approval":"a1","step":3,"within":2,"tool":"pay"})");
  log.at(20).add("approval.decided", R"({"approval":"a1","step":3,"tool":"pay","outcome":"approved"})");
  log.at(21).add("step.started", R"({"step":3,"within":2,"kind":"http","name":"pay","attempt":1})");
  log.at(30).add("step.completed", R"({"step":3,"kind":"http","name":"pay","result":"ok"})");
  log.at(40).add("step.completed", R"({"step":2,"kind":"code","name":"run_code","result":"done"})");
  const auto ended = log.trace().take_ended();
  ASSERT_EQ(ended.size(), 3u);
  platform::TraceContext trace;
  trace.trace_id = std::string(32, 'a');
  EXPECT_EQ(ended[0].kind, SpanKind::kApproval);
  EXPECT_EQ(parent_id_of(trace, "r", ended[0]), span_id_of(trace, "r", ended[2]));
  EXPECT_EQ(ended[1].name, "pay");
  EXPECT_EQ(parent_id_of(trace, "r", ended[1]), span_id_of(trace, "r", ended[2]));
  EXPECT_EQ(parent_id_of(trace, "r", ended[2]), platform::run_span_id(trace.trace_id, "r"));
}

TEST(RunTrace, ASubAgentStandsBelowTheStepThatCalledIt) {
  Log child;
  child.at(0).add("run.started", R"({"agent":"helper","parent":{"run":"boss","step":4}})");
  child.at(10).add("run.completed", R"({"output":"x","iterations":1})");
  const auto ended = child.trace().take_ended();
  ASSERT_EQ(ended.size(), 1u) << "nobody closes the log of a sub-agent";
  platform::TraceContext trace;
  trace.trace_id = std::string(32, 'a');
  trace.parent_id = std::string(16, 'b');
  EXPECT_EQ(parent_id_of(trace, "r", ended[0]), platform::step_span_id(trace.trace_id, "boss", 4, 1));
  Log top;
  top.at(0).add("run.started", R"({"agent":"boss"})").add("run.closed", R"({"status":"completed"})");
  EXPECT_EQ(parent_id_of(trace, "r", top.trace().take_ended()[0]), trace.parent_id);
}

}  // namespace
}  // namespace holdfast::runs
