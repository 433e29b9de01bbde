// Shapes in which Anthropic's Messages answer, and what is made of each.

#include <gtest/gtest.h>

#include "model/shapes.h"

namespace holdfast::model {
namespace {

struct Row {
  const char* what;
  std::string body;
  const char* said;
};

std::string event(const std::string& type, const std::string& members) {
  return "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + (members.empty() ? "" : ",") + members +
         "}\n\n";
}
std::string block(int index, const std::string& json) {
  return event("content_block_start", "\"index\":" + std::to_string(index) + ",\"content_block\":" + json);
}
std::string delta(int index, const std::string& json) {
  return event("content_block_delta", "\"index\":" + std::to_string(index) + ",\"delta\":" + json);
}
std::string end(int index) {
  return event("content_block_stop", "\"index\":" + std::to_string(index));
}
std::string text(int index, const std::string& words) {
  return block(index, R"({"type":"text","text":""})") +
         delta(index, R"({"type":"text_delta","text":")" + words + "\"}") + end(index);
}
std::string use(int index, const std::string& id, const std::string& fragment) {
  return block(index, R"({"type":"tool_use","id":")" + id + R"(","name":"look","input":{}})") +
         (fragment.empty()
              ? ""
              : delta(index, R"({"type":"input_json_delta","partial_json":")" + fragment + "\"}")) +
         end(index);
}
std::string reason(const std::string& word) {
  return event("message_delta", R"("delta":{"stop_reason":")" + word + R"("},"usage":{"output_tokens":7})");
}
const std::string kStart =
    event("message_start", R"("message":{"model":"m","content":[],"usage":{"input_tokens":5}})");
const std::string kStop = event("message_stop", "");
const std::string kEnd = reason("end_turn") + kStop;

void expect(const std::vector<Row>& rows) {
  for (const Row& row : rows)
    EXPECT_EQ(shapes::said(shapes::decode(kAnthropic, row.body)), row.said) << row.what;
}

TEST(AnthropicShapes, FramesAndTheEnd) {
  expect({
      {"plain", kStart + text(0, "hello") + kEnd, "hello | end"},
      {"pings", kStart + event("ping", "") + text(0, "hello") + event("ping", "") + kEnd, "hello | end"},
      {"comments and blanks", ": x\n\n" + kStart + "data:\n\n" + text(0, "hello") + kEnd, "hello | end"},
      {"an unknown event", kStart + event("banana", "\"x\":1") + text(0, "hello") + kEnd, "hello | end"},
      {"nothing", "", "StreamCutError again"},
      {"an end without a reason", kStart + text(0, "hello") + kStop, "StreamCutError again"},
      {"a reason, and the connection ends", kStart + text(0, "hello") + reason("end_turn"), "hello | end"},
      {"no reason, and the connection ends", kStart + text(0, "hello"), "StreamCutError again"},
      {"said nothing, and is done", kStart + kEnd, " | end"},
      {"max_tokens", kStart + text(0, "hello") + reason("max_tokens") + kStop, "hello | max"},
      {"the window is full", kStart + text(0, "hello") + reason("model_context_window_exceeded") + kStop,
       "hello | max"},
      {"stop_sequence", kStart + text(0, "hello") + reason("stop_sequence") + kStop, "hello | sequence"},
      {"a refusal", kStart + text(0, "no") + reason("refusal") + kStop, "ContentFilterError final"},
      {"a pause", kStart + text(0, "let me") + reason("pause_turn") + kStop, "let me | paused"},
      {"a reason that nobody knows", kStart + text(0, "hello") + reason("banana") + kStop,
       "UnknownStopReasonError final"},
      {"calls announced, none made", kStart + text(0, "hello") + reason("tool_use") + kStop,
       "StreamCutError again"},
      {"cut, and whole", kStart + text(0, "hello") + reason("max_tokens") + kEnd, "StreamCutError again"},
      {"whole, and cut", kStart + text(0, "hello") + reason("end_turn") + reason("max_tokens") + kStop,
       "StreamCutError again"},
      {"whole, and refused", kStart + text(0, "hello") + reason("end_turn") + reason("refusal") + kStop,
       "ContentFilterError final"},
      {"the reason twice", kStart + text(0, "hello") + reason("end_turn") + kEnd, "hello | end"},
      {"no reason yet",
       kStart + text(0, "hello") + event("message_delta", R"("delta":{"stop_reason":null})") + kEnd,
       "hello | end"},
      {"two answers", kStart + text(0, "hello") + kStart + text(0, "hello") + kEnd, "StreamCutError again"},
      {"two answers, of which one ends", kStart + text(0, "hello") + reason("end_turn") + kStart + kStop,
       "StreamCutError again"},
      {"a text behind the end", kStart + text(0, "hel") + reason("end_turn") + text(1, "lo") + kEnd,
       "StreamCutError again"},
      {"two texts", kStart + text(0, "hel") + text(1, "lo") + kEnd, "hello | end"},
      {"a text that begins with some",
       kStart + block(0, R"({"type":"text","text":"hel"})") +
           delta(0, R"({"type":"text_delta","text":"lo"})") + end(0) + kEnd,
       "hello | end"},
      {"a text whose beginning is lost", kStart + delta(0, R"({"type":"text_delta","text":"hello"})") + kEnd,
       "hello | end"},
      {"arguments whose beginning is lost",
       kStart + delta(0, R"({"type":"input_json_delta","partial_json":"{"})") + kEnd, "StreamCutError again"},
      {"arguments for a text",
       kStart + block(0, R"({"type":"text","text":""})") +
           delta(0, R"({"type":"input_json_delta","partial_json":"{"})") + kEnd,
       "StreamCutError again"},
      {"types in the data alone",
       "data: {\"type\":\"message_start\",\"message\":{}}\n\n" + text(0, "hello") + kEnd, "hello | end"},
  });
}

TEST(AnthropicShapes, Errors) {
  expect({
      {"overloaded", kStart + event("error", R"("error":{"type":"overloaded_error","message":"x"})"),
       "OverloadedError again"},
      {"without the event's name",
       kStart + "data: {\"type\":\"error\",\"error\":{\"type\":\"api_error\"}}\n\n", "OverloadedError again"},
      {"in words", kStart + "event: error\ndata: upstream died\n\n", "StreamCutError again"},
      {"an invalid request", event("error", R"("error":{"type":"invalid_request_error","message":"x"})"),
       "BadRequestError final"},
      {"a gateway's", kStart + "data: {\"message\":\"Too many\",\"status\":429}\n\n",
       "RateLimitedError again"},
      {"one document", R"({"type":"error","error":{"type":"rate_limit_error","message":"slow"}})",
       "RateLimitedError again"},
      {"an empty account",
       R"({"type":"error","error":{"type":"invalid_request_error",)"
       R"("message":"Your credit balance is too low"}})",
       "QuotaExhaustedError final"},
  });
}

TEST(AnthropicShapes, OneDocumentInsteadOfAStream) {
  expect({
      {"an answer",
       R"({"type":"message","model":"m","content":[{"type":"text","text":"hello"}],)"
       R"("stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":2}})",
       "hello | end"},
      {"a call",
       R"({"type":"message","content":[{"type":"thinking","thinking":"t","signature":"s"},)"
       R"({"type":"tool_use","id":"c","name":"look","input":{"q":1}}],"stop_reason":"tool_use"})",
       R"(<{"type":"thinking","thinking":"t","signature":"s"}> | look#c({"q":1}) | calls)"},
      {"no reason", R"({"type":"message","content":[{"type":"text","text":"hello"}],"stop_reason":null})",
       "StreamCutError again"},
      {"another document", R"({"hello":"world"})", "BadRequestError final"},
  });
}

TEST(AnthropicShapes, Calls) {
  expect({
      {"one", kStart + use(0, "c", R"({\"q\":1})") + reason("tool_use") + kStop,
       R"( | look#c({"q":1}) | calls)"},
      {"without arguments", kStart + use(0, "c", "") + reason("tool_use") + kStop, " | look#c({}) | calls"},
      {"with an empty fragment",
       kStart + block(0, R"({"type":"tool_use","id":"c","name":"look","input":{}})") +
           delta(0, R"({"type":"input_json_delta","partial_json":""})") + end(0) + reason("tool_use") + kStop,
       " | look#c({}) | calls"},
      {"whole in its beginning",
       kStart + block(0, R"({"type":"tool_use","id":"c","name":"look","input":{"q":1}})") + end(0) +
           reason("tool_use") + kStop,
       R"( | look#c({"q":1}) | calls)"},
      {"whole, and again in fragments",
       kStart + block(0, R"({"type":"tool_use","id":"c","name":"look","input":{"q":1}})") +
           delta(0, R"({"type":"input_json_delta","partial_json":"{\"q\":1}"})") + end(0) +
           reason("tool_use") + kStop,
       R"( | look#c({"q":1}) | calls)"},
      {"one id twice", kStart + use(0, "c", "{}") + use(1, "c", "{}") + reason("tool_use") + kStop,
       " | look#c({}) | look#c_2({}) | calls"},
      {"one index twice", kStart + use(0, "a", "{}") + use(0, "b", "{}") + reason("tool_use") + kStop,
       " | look#a({}) | look#b({}) | calls"},
      {"no id", kStart + use(0, "", "{}") + reason("tool_use") + kStop, " | look#call_0({}) | calls"},
      {"no name",
       kStart + block(0, R"({"type":"tool_use","id":"c","input":{}})") + end(0) + reason("tool_use") + kStop,
       "StreamCutError again"},
      {"end_turn beside a call", kStart + use(0, "c", "{}") + kEnd, " | look#c({}) | calls"},
      {"interleaved",
       kStart + block(0, R"({"type":"tool_use","id":"a","name":"look","input":{}})") +
           block(1, R"({"type":"tool_use","id":"b","name":"list","input":{}})") +
           delta(0, R"({"type":"input_json_delta","partial_json":"{\"q\":"})") +
           delta(1, R"({"type":"input_json_delta","partial_json":"{}"})") +
           delta(0, R"({"type":"input_json_delta","partial_json":"1}"})") + end(0) + end(1) +
           reason("tool_use") + kStop,
       R"( | look#a({"q":1}) | list#b({}) | calls)"},
      {"cut off",
       kStart + block(0, R"({"type":"tool_use","id":"c","name":"look","input":{}})") +
           delta(0, R"({"type":"input_json_delta","partial_json":"{\"q\""})") + reason("max_tokens") + kStop,
       R"( | look#c({"q") | max)"},
  });
}

// Gateways leave the ends of blocks away; one is whole, then, if it shows that it is.
TEST(AnthropicShapes, BlocksThatNobodyEnds) {
  const std::string call = block(0, R"({"type":"tool_use","id":"c","name":"look","input":{}})");
  const std::string search = kStart +
                             block(0, R"({"type":"server_tool_use","id":"s","name":"w","input":{}})") +
                             delta(0, R"({"type":"input_json_delta","partial_json":"{\"q\":"})");
  const std::string rest = delta(0, R"({"type":"input_json_delta","partial_json":"1}"})");
  expect({
      {"a call that is whole",
       kStart + call + delta(0, R"({"type":"input_json_delta","partial_json":"{\"q\":1}"})") +
           reason("tool_use") + kStop,
       R"( | look#c({"q":1}) | calls)"},
      {"a call that was whole in its beginning",
       kStart + block(0, R"({"type":"tool_use","id":"c","name":"look","input":{"q":1}})") +
           reason("tool_use") + kStop,
       R"( | look#c({"q":1}) | calls)"},
      {"half a call",
       kStart + call + delta(0, R"({"type":"input_json_delta","partial_json":"{\"q\":"})") +
           reason("tool_use") + kStop,
       "StreamCutError again"},
      {"nothing of a call", kStart + call + reason("tool_use") + kStop, "StreamCutError again"},
      {"nothing of a call, and cut", kStart + call + reason("max_tokens") + kStop, " | look#c() | max"},
      {"a call that is said twice, and not the same",
       kStart + block(0, R"({"type":"tool_use","id":"c","name":"look","input":{"q":1}})") +
           delta(0, R"({"type":"input_json_delta","partial_json":"{\"q\":2}"})") + end(0) +
           reason("tool_use") + kStop,
       "StreamCutError again"},
      {"a text and a thought",
       kStart + block(0, R"({"type":"thinking","thinking":"t","signature":"s"})") +
           block(1, R"({"type":"text","text":"hello"})") + kEnd,
       R"(<{"type":"thinking","thinking":"t","signature":"s"}>hello | end)"},
      {"a server's call that is whole", search + rest + text(1, "hello") + kEnd,
       R"(<{"type":"server_tool_use","id":"s","name":"w","input":{"q":1}}>hello | end)"},
      {"half a server's call", search + text(1, "hello") + kEnd, "StreamCutError again"},
      {"half a server's call, and another one at its index", search + text(0, "hello") + kEnd,
       "StreamCutError again"},
      {"half a server's call, and cut", search + reason("max_tokens") + kStop, " | max"},
      {"half a server's call, ended, and cut", search + end(0) + reason("max_tokens") + kStop, " | max"},
      {"an end behind the end", search + rest + reason("end_turn") + end(0) + kStop,
       R"(<{"type":"server_tool_use","id":"s","name":"w","input":{"q":1}}> | end)"},
  });
}

TEST(AnthropicShapes, WhatIsOpaqueIsKeptInItsPlace) {
  const std::string thinking = block(0, R"({"type":"thinking","thinking":"","signature":""})") +
                               delta(0, R"({"type":"thinking_delta","thinking":"I "})") +
                               delta(0, R"({"type":"thinking_delta","thinking":"see"})") +
                               delta(0, R"({"type":"signature_delta","signature":"c2ln"})") + end(0);
  expect({
      {"thinking", kStart + thinking + text(1, "hello") + kEnd,
       R"(<{"type":"thinking","thinking":"I see","signature":"c2ln"}>hello | end)"},
      {"redacted",
       kStart + block(0, R"({"type":"redacted_thinking","data":"x=="})") + end(0) + text(1, "hello") + kEnd,
       R"(<{"type":"redacted_thinking","data":"x=="}>hello | end)"},
      {"between calls",
       kStart + thinking + use(1, "a", "{}") + block(2, R"({"type":"redacted_thinking","data":"x"})") +
           end(2) + use(3, "b", "{}") + reason("tool_use") + kStop,
       R"(<{"type":"thinking","thinking":"I see","signature":"c2ln"}><call 0><{"type":"redacted_thinking","data":"x"}>)"
       R"( | look#a({}) | look#b({}) | calls)"},
      {"a server's tool",
       kStart + block(0, R"({"type":"server_tool_use","id":"s","name":"web_search","input":{}})") +
           delta(0, R"({"type":"input_json_delta","partial_json":"{\"q\":"})") +
           delta(0, R"({"type":"input_json_delta","partial_json":"1}"})") + end(0) +
           block(1, R"({"type":"web_search_tool_result","tool_use_id":"s","content":[{"url":"u"}]})") +
           end(1) + text(2, "hello") + kEnd,
       R"(<{"type":"server_tool_use","id":"s","name":"web_search","input":{"q":1}}>)"
       R"(<{"type":"web_search_tool_result","tool_use_id":"s","content":[{"url":"u"}]}>hello | end)"},
      {"citations",
       kStart + block(0, R"({"type":"text","text":"","citations":[]})") +
           delta(0, R"({"type":"text_delta","text":"hello"})") +
           delta(0, R"({"type":"citations_delta","citation":{"url":"a"}})") +
           delta(0, R"({"type":"citations_delta","citation":{"url":"b"}})") + end(0) + kEnd,
       R"(hello{"citations":[{"url":"a"},{"url":"b"}]} | end)"},
      {"a delta of tomorrow",
       kStart + block(0, R"({"type":"dream","dream":""})") +
           delta(0, R"({"type":"dream_delta","dream":"of sheep"})") + end(0) + text(1, "hello") + kEnd,
       R"(<{"type":"dream","dream":"of sheep"}>hello | end)"},
      {"a mark on a call",
       kStart +
           block(0, R"({"type":"tool_use","id":"c","name":"look","input":{},"caller":{"type":"direct"}})") +
           end(0) + reason("tool_use") + kStop,
       R"( | look#c({}){"caller":{"type":"direct"}} | calls)"},
      {"a server's tool cut off",
       kStart + block(0, R"({"type":"server_tool_use","id":"s","name":"w","input":{}})") +
           delta(0, R"({"type":"input_json_delta","partial_json":"{\"q\":"})") + end(0) + kEnd,
       "StreamCutError again"},
  });
}

TEST(AnthropicShapes, NumbersOfArgumentsStayAsTheyAreWritten) {
  const auto call = [](const std::string& number) {
    return kStart + block(0, R"({"type":"tool_use","id":"c1","name":"look","input":{"v":)" + number + "}}") +
           end(0) + reason("tool_use") + kStop;
  };
  expect({
      {"beyond 64 bits", call("9223372036854775808123"),
       R"( | look#c1({"v":9223372036854775808123}) | calls)"},
      {"more digits than a double", call("12345678901234567890.5"),
       R"( | look#c1({"v":12345678901234567890.5}) | calls)"},
      {"beyond a double", call("1e400"), R"( | look#c1({"v":1e400}) | calls)"},
      {"what nobody reads", kStart + event("ping", R"("at":1e400)") + text(0, "hello") + kEnd, "hello | end"},
  });
}

// What is left of counts of which one cannot be would be too little.
TEST(AnthropicShapes, AZeroOfAGatewayTakesNoCountBack) {
  const std::string zero = event(
      "message_delta", R"("delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":0,"output_tokens":7})");
  EXPECT_EQ(shapes::counted(kAnthropic, kStart + text(0, "hello") + zero + kStop), "5 7");
}

TEST(AnthropicShapes, ABlockThatIsATextIsNotPassedOver) {
  EXPECT_EQ(shapes::said(shapes::decode(
                kAnthropic,
                R"({"type":"message","role":"assistant","content":["hello"],"stop_reason":"end_turn"})")),
            "StreamCutError again");
}

TEST(AnthropicShapes, CountsAreBelievedTogetherOrNotAtAll) {
  const auto counted = [](const std::string& first, const std::string& last) {
    return shapes::counted(
        kAnthropic,
        event("message_start", R"("message":{"model":"m","usage":{)" + first + "}}") + text(0, "hello") +
            event("message_delta", R"("delta":{"stop_reason":"end_turn"},"usage":{)" + last + "}") + kStop);
  };
  EXPECT_EQ(counted(R"("input_tokens":5,"cache_read_input_tokens":null)", R"("output_tokens":7)"), "5 7");
  EXPECT_EQ(counted(R"("input_tokens":-4,"cache_creation_input_tokens":5)", R"("output_tokens":7)"), "0 0");
  EXPECT_EQ(counted(R"("input_tokens":5,"cache_read_input_tokens":1e18)", R"("output_tokens":7)"), "0 0");
  EXPECT_EQ(counted(R"("input_tokens":5)", R"("output_tokens":1000000000000000)"), "0 0");
  EXPECT_EQ(counted(R"("input_tokens":5)", R"("output_tokens":9223372036854775808123)"), "0 0");
  EXPECT_EQ(counted(R"("input_tokens":5)", R"("output_tokens":"many")"), "0 0");
}

}  // namespace
}  // namespace holdfast::model
