// Shapes in which servers of OpenAI's Responses format answer, and what is made of each: read where it is
// certain, an error where it is not, and never an answer that may not be whole.

#include <gtest/gtest.h>

#include "model/shapes.h"

namespace holdfast::model {
namespace {

struct Row {
  const char* what;
  std::string body;
  const char* said;
};

std::string frame(const std::string& type, const std::string& members = "") {
  return "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + (members.empty() ? "" : "," + members) +
         "}\n\n";
}
std::string added(int index, const std::string& item) {
  return frame("response.output_item.added",
               "\"output_index\":" + std::to_string(index) + ",\"item\":" + item);
}
std::string done(int index, const std::string& item) {
  return frame("response.output_item.done",
               "\"output_index\":" + std::to_string(index) + ",\"item\":" + item);
}
std::string text(const std::string& delta, const std::string& where = R"("item_id":"m1","output_index":0)") {
  return frame("response.output_text.delta", where + R"(,"content_index":0,"delta":")" + delta + "\"");
}
std::string arguments(const std::string& where, const std::string& delta) {
  return frame("response.function_call_arguments.delta", where + R"(,"delta":")" + delta + "\"");
}
std::string ended(const std::string& event, const std::string& response) {
  return frame("response." + event, "\"response\":{" + response + "}");
}
std::string completed(const std::string& output = "") {
  return ended("completed",
               R"("status":"completed","error":null,"incomplete_details":null,"output":[)" + output + "]");
}

const std::string kCreated = frame("response.created", R"("response":{"model":"m","status":"in_progress"})") +
                             frame("response.in_progress", R"("response":{"status":"in_progress"})");
const std::string kBegin =
    kCreated + added(0, R"({"type":"message","id":"m1","status":"in_progress","content":[]})") +
    frame("response.content_part.added",
          R"("item_id":"m1","output_index":0,"content_index":0,"part":{"type":"output_text","text":""})");
const std::string kHello = kBegin + text("hel") + text("lo");
const std::string kCall =
    added(0, R"({"type":"function_call","id":"f1","call_id":"c1","name":"look","arguments":""})");
const std::string kCallDone = done(
    0,
    R"({"type":"function_call","call_id":"c1","name":"look","arguments":"{\"q\":1}","status":"completed"})");

void expect(const std::vector<Row>& rows) {
  for (const Row& row : rows)
    EXPECT_EQ(shapes::said(shapes::decode(kOpenaiResponses, row.body)), row.said) << row.what;
}

TEST(ResponsesShapes, FramesThatSayNothing) {
  expect({
      {"plain", kHello + completed(), "hello | end"},
      {"comments and keep-alives",
       ": ping\n\n" + kHello + "data: \n\n" + frame("keepalive", R"("sequence_number":9)") + completed(),
       "hello | end"},
      {"words", "data: ping\n\n" + kHello + completed(), "hello | end"},
      {"work at the provider",
       kHello + frame("response.web_search_call.searching", R"("item_id":"w")") + completed(), "hello | end"},
      {"events of tomorrow", kHello + frame("response.something.new", R"("x":[1])") + completed(),
       "hello | end"},
      {"[DONE] behind it", kHello + completed() + "data: [DONE]\n\n", "hello | end"},
      {"[DONE] before it", kHello + "data: [DONE]\n\n" + completed(), "hello | end"},
      {"names of events alone",
       "event: response.output_text.delta\ndata: {\"delta\":\"hello\",\"item_id\":\"x\"}\n\n" + completed(),
       "hello | end"},
      {"types alone",
       R"(data: {"type":"response.output_text.delta","delta":"hello"})"
       "\n\n"
       R"(data: {"type":"response.completed","response":{"status":"completed"}})"
       "\n\n",
       "hello | end"},
      {"half a frame", kHello + "data: {\"type\":\"resp\n\n" + completed(), "StreamCutError again"},
      {"other words", "data: what?\n\n" + kHello + completed(), "StreamCutError again"},
  });
}

TEST(ResponsesShapes, TheEnd) {
  expect({
      {"nothing at all", "", "StreamCutError again"},
      {"text, and nothing behind it", kHello, "StreamCutError again"},
      {"text, and [DONE]", kHello + "data: [DONE]\n\n", "StreamCutError again"},
      {"an item is done, the answer is not",
       kHello + done(0, R"({"type":"message","id":"m1","content":[{"type":"output_text","text":"hello"}]})"),
       "StreamCutError again"},
      {"an empty answer", kCreated + completed(), " | end"},
      {"content that is one part",
       kCreated + completed(R"({"type":"message","content":{"type":"output_text","text":"hello"}})"),
       "hello | end"},
      {"a part that is a text", kCreated + completed(R"({"type":"message","content":["hello"]})"),
       "StreamCutError again"},
      {"content that is a number", kCreated + completed(R"({"type":"message","content":7})"),
       "StreamCutError again"},
      {"two answers", kHello + kHello + completed(), "StreamCutError again"},
      {"begun again, and nothing said", kHello + kCreated + completed(), "StreamCutError again"},
      {"cut, and its event says whole",
       kHello +
           ended("completed", R"("status":"incomplete","incomplete_details":{"reason":"max_output_tokens"})"),
       "hello | max"},
      {"whole, and its event says cut", kHello + ended("incomplete", R"("status":"completed")"),
       "UnknownStopReasonError final"},
      // The call was over with the first one: nobody reads on.
      {"cut, and then whole",
       kHello +
           ended("incomplete",
                 R"("status":"incomplete","incomplete_details":{"reason":"max_output_tokens"})") +
           completed(),
       "hello | max"},
      {"the limit",
       kHello + ended("incomplete",
                      R"("status":"incomplete","incomplete_details":{"reason":"max_output_tokens"})"),
       "hello | max"},
      {"a filter",
       kHello +
           ended("incomplete", R"("status":"incomplete","incomplete_details":{"reason":"content_filter"})"),
       "ContentFilterError final"},
      {"a reason that nobody knows",
       kHello + ended("incomplete", R"("status":"incomplete","incomplete_details":{"reason":"steered"})"),
       "UnknownStopReasonError final"},
      {"incomplete without a reason", kHello + ended("incomplete", R"("status":"incomplete")"),
       "UnknownStopReasonError final"},
      {"completed that says incomplete", kHello + ended("completed", R"("status":"incomplete")"),
       "UnknownStopReasonError final"},
      {"completed that says in_progress", kHello + ended("completed", R"("status":"in_progress")"),
       "UnknownStopReasonError final"},
      {"incomplete that says completed", kHello + ended("incomplete", R"("status":"completed")"),
       "UnknownStopReasonError final"},
      {"cancelled", kHello + ended("cancelled", R"("status":"cancelled")"), "UnknownStopReasonError final"},
      {"the status left away", kHello + ended("completed", R"("id":"r")"), "hello | end"},
      {"a refusal",
       kBegin + frame("response.refusal.delta", R"("item_id":"m1","output_index":0,"delta":"I cannot")") +
           completed(),
       "ContentFilterError final"},
      {"a refusal in the item alone",
       kBegin + completed(R"({"type":"message","id":"m1","content":[{"type":"refusal","refusal":"no"}]})"),
       "ContentFilterError final"},
      {"an empty refusal",
       kBegin + completed(R"({"type":"message","id":"m1","content":[{"type":"refusal","refusal":""}]})"),
       "ContentFilterError final"},
      {"a message that says it is not whole",
       kHello + completed(R"({"type":"message","id":"m1","status":"incomplete","content":[]})"),
       "StreamCutError again"},
  });
}

TEST(ResponsesShapes, Failures) {
  const auto failed = [](const std::string& error) {
    return kHello + ended("failed", R"("status":"failed","error":)" + error);
  };
  expect({
      {"the server's", failed(R"({"code":"server_error","message":"x"})"), "OverloadedError again"},
      {"a rate", failed(R"({"code":"rate_limit_exceeded","message":"slow"})"), "RateLimitedError again"},
      {"a prompt", failed(R"({"code":"invalid_prompt","message":"no"})"), "InvalidPromptError final"},
      {"an image", failed(R"({"code":"invalid_image_format","message":"no"})"), "BadRequestError final"},
      {"a policy", failed(R"({"code":"bio_policy","message":"no"})"), "ContentFilterError final"},
      {"a quota", failed(R"({"code":"insufficient_quota","message":"pay"})"), "QuotaExhaustedError final"},
      {"a code of tomorrow", failed(R"({"code":"x","message":"y"})"), "StreamCutError again"},
      {"no word", failed("null"), "StreamCutError again"},
      {"false", failed("false"), "StreamCutError again"},
      {"an error frame",
       kHello + frame("error", R"("code":"server_error","message":"x","param":null,"sequence_number":3)"),
       "OverloadedError again"},
      {"an error frame with a rate", frame("error", R"("code":"rate_limit_exceeded","message":"slow")"),
       "RateLimitedError again"},
      {"an error frame with an object",
       frame("error", R"("error":{"type":"invalid_request_error","code":"context_length_exceeded"})"),
       "BadRequestError final"},
      {"an error frame without a code", frame("error", R"("code":null,"message":"x")"),
       "StreamCutError again"},
      {"an error in plain words", "event: error\ndata: upstream died\n\n", "StreamCutError again"},
      {"a gateway's", kHello + "data: {\"error\":{\"code\":503,\"message\":\"busy\"}}\n\n",
       "OverloadedError again"},
      {"completed with an error",
       kHello + ended("completed", R"("status":"completed","error":{"code":"server_error"})"),
       "OverloadedError again"},
      {"too late to matter", kHello + completed() + frame("error", R"("code":"server_error")"),
       "hello | end"},
  });
}

TEST(ResponsesShapes, OneDocumentInsteadOfAStream) {
  const std::string head = R"({"object":"response","model":"m","status":"completed","error":null,"output":[)";
  expect({
      {"an answer",
       head + R"({"type":"message","role":"assistant","content":[{"type":"output_text","text":"hello"}]}]})",
       "hello | end"},
      {"a call", head + R"({"type":"function_call","call_id":"c1","name":"look","arguments":"{}"}]})",
       " | look#c1({}) | calls"},
      {"two of them",
       head + R"({"type":"function_call","call_id":"c1","name":"look","arguments":"{}"},)"
              R"({"type":"function_call","call_id":"c2","name":"list","arguments":"{}"}]})",
       " | look#c1({}) | list#c2({}) | calls"},
      {"failed", R"({"object":"response","status":"failed","error":{"code":"server_error","message":"x"}})",
       "OverloadedError again"},
      {"queued", R"({"object":"response","status":"queued","output":[]})", "UnknownStopReasonError final"},
      {"no status", R"({"object":"response","output":[]})", "UnknownStopReasonError final"},
      {"a chat's", R"({"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}]})",
       "BadRequestError final"},
      {"half of one", R"({"object":"response","output":[)", "StreamCutError again"},
  });
}

TEST(ResponsesShapes, TextsThatAreSaidTwice) {
  const std::string whole =
      R"({"type":"message","id":"m1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"hello","annotations":[]}]})";
  const std::string kept = R"({"item":{"id":"m1","status":"completed"}})";
  expect({
      {"by piece, by item and at the end",
       kHello + frame("response.output_text.done", R"("item_id":"m1","output_index":0,"text":"hello")") +
           done(0, whole) + completed(whole),
       R"(hello{"item":{"id":"m1","status":"completed"}} | end)"},
      {"only with the item", kBegin + done(0, whole) + completed(),
       R"(hello{"item":{"id":"m1","status":"completed"}} | end)"},
      {"only at the end", kCreated + completed(whole),
       R"(hello{"item":{"id":"m1","status":"completed"}} | end)"},
      {"the end of it came with the item", kBegin + text("hel") + done(0, whole) + completed(),
       R"(hello{"item":{"id":"m1","status":"completed"}} | end)"},
      {"the last word counts",
       kBegin + text("hi") +
           frame("response.output_text.done", R"("item_id":"m1","output_index":0,"text":"ho")") + completed(),
       "ho | end"},
      {"more behind the end of an item", kHello + done(0, whole) + text("!") + completed(),
       "StreamCutError again"},
      {"a phase",
       kCreated +
           completed(
               R"({"type":"message","id":"m1","phase":"commentary","content":[{"type":"output_text","text":"a"}]})"),
       R"(a{"item":{"id":"m1","phase":"commentary"}} | end)"},
      {"annotations",
       kHello +
           frame("response.output_text.annotation.added",
                 R"("item_id":"m1","output_index":0,"content_index":0,"annotation":{"url":"u"})") +
           completed(),
       R"(hello{"annotations":[{"url":"u"}]} | end)"},
      {"annotations that are no list",
       kHello +
           done(
               0,
               R"({"type":"message","id":"m1","content":[{"type":"output_text","text":"hello","annotations":{"a":1}}]})") +
           frame("response.output_text.annotation.added", R"("item_id":"m1","annotation":{"url":"u"})") +
           completed(),
       R"(hello{"annotations":[{"url":"u"}],"item":{"id":"m1"}} | end)"},
      {"a part of an unknown kind is kept",
       kCreated +
           completed(
               R"({"type":"message","id":"m1","content":[{"type":"output_text","text":"a"},{"type":"x","y":1}]})"),
       R"(a{"item":{"id":"m1"}}<{"type":"message","role":"assistant","id":"m1","content":[{"type":"x","y":1}]}> | end)"},
      {"characters cut in two",
       kBegin + text("\\ud83d") + text("\\ude42") +
           frame("response.output_text.done", R"("item_id":"m1","output_index":0,"text":"\ud83d\ude42")") +
           completed(),
       "🙂 | end"},
      {"ids that change with each event",
       kBegin + text("hel", R"("item_id":"x","output_index":0)") +
           text("lo", R"("item_id":"y","output_index":0)") + completed(),
       "hello | end"},
  });
}

TEST(ResponsesShapes, Calls) {
  const std::string here = R"("item_id":"f1","output_index":0)";
  const std::string a = arguments(here, "{\\\"q\\\":");
  const std::string b = arguments(here, "1}");
  const std::string two =
      added(1, R"({"type":"function_call","id":"f2","call_id":"c2","name":"list","arguments":""})");
  expect({
      {"as the format says", kCreated + kCall + a + b + kCallDone + completed(),
       R"( | look#c1({"q":1}){"status":"completed"} | calls)"},
      {"only as an item", kCreated + kCallDone + completed(),
       R"( | look#c1({"q":1}){"status":"completed"} | calls)"},
      {"without an end of its own", kCreated + kCall + a + b + completed(), R"( | look#c1({"q":1}) | calls)"},
      {"half of it, and completed", kCreated + kCall + a + completed(), "StreamCutError again"},
      {"none of it, and completed", kCreated + kCall + completed(), "StreamCutError again"},
      {"half of it, and the rest with its end", kCreated + kCall + a + kCallDone + completed(),
       R"( | look#c1({"q":1}){"status":"completed"} | calls)"},
      {"another end than its beginning",
       kCreated + kCall + arguments(here, "{\\\"q\\\":2}") + kCallDone + completed(), "StreamCutError again"},
      {"the same, written anew",
       kCreated + kCall + arguments(here, "{ \\\"q\\\": 1 }") + kCallDone + completed(),
       R"( | look#c1({ "q": 1 }){"status":"completed"} | calls)"},
      {"another name at its end",
       kCreated + kCall +
           done(0, R"({"type":"function_call","id":"f1","call_id":"c1","name":"list","arguments":"{}"})") +
           completed(),
       "StreamCutError again"},
      {"a name that comes at its end",
       kCreated + added(0, R"({"type":"function_call","id":"f1","call_id":"c1"})") + a + b + kCallDone +
           completed(),
       R"( | look#c1({"q":1}){"status":"completed"} | calls)"},
      {"a name that never comes",
       kCreated + added(0, R"({"type":"function_call","id":"f1","call_id":"c1"})") + a + b + completed(),
       "StreamCutError again"},
      {"two, interleaved",
       kCreated + kCall + two + a + arguments(R"("item_id":"f2","output_index":1)", "{}") + b + completed(),
       R"( | look#c1({"q":1}) | list#c2({}) | calls)"},
      {"always the index 0, other ids",
       kCreated + kCall + added(0, R"({"type":"function_call","id":"f2","call_id":"c2","name":"list"})") + a +
           arguments(R"("item_id":"f2","output_index":0)", "{}") + b + completed(),
       R"( | look#c1({"q":1}) | list#c2({}) | calls)"},
      {"ids that change, two at one index",
       kCreated + kCall + added(0, R"({"type":"function_call","id":"f2","call_id":"c2","name":"list"})") +
           arguments(R"("item_id":"z","output_index":0)", "{}") + completed(),
       "StreamCutError again"},
      {"ids that change, one call",
       kCreated + kCall + arguments(R"("item_id":"y","output_index":0)", "{\\\"q\\\":1}") + completed(),
       R"( | look#c1({"q":1}) | calls)"},
      {"a wrong index, one call", kCreated + kCall + arguments(R"("output_index":9)", "{}") + completed(),
       " | look#c1({}) | calls"},
      {"arguments of nothing", kCreated + arguments(here, "{}") + completed(), "StreamCutError again"},
      {"arguments of a text", kBegin + arguments(R"("item_id":"m1","output_index":0)", "{}") + completed(),
       "StreamCutError again"},
      {"more behind its end",
       kCreated + kCall + a + b +
           done(
               0,
               R"({"type":"function_call","id":"f1","call_id":"c1","name":"look","arguments":"{\"q\":1}"})") +
           b + completed(),
       "StreamCutError again"},
      {"one that the end does not say",
       kCreated + kCall + a + b + two + arguments(R"("item_id":"f2","output_index":1)", "{}") +
           completed(
               R"({"type":"function_call","id":"f1","call_id":"c1","name":"look","arguments":"{\"q\":1}"})"),
       "StreamCutError again"},
  });
}

TEST(ResponsesShapes, NamesIdsAndKindsOfCalls) {
  expect({
      {"one id twice",
       kCreated + completed(R"({"type":"function_call","call_id":"c","name":"look","arguments":"{}"},)"
                            R"({"type":"function_call","call_id":"c","name":"list","arguments":"{}"})"),
       " | look#c({}) | list#c_2({}) | calls"},
      {"no call_id",
       kCreated + completed(R"({"type":"function_call","id":"f1","name":"look","arguments":"{}"})"),
       R"( | look#f1({}){"id":"f1"} | calls)"},
      {"no id at all", kCreated + completed(R"({"type":"function_call","name":"look","arguments":"{}"})"),
       " | look#call_0({}) | calls"},
      {"arguments as an object",
       kCreated + completed(R"({"type":"function_call","call_id":"c","name":"look","arguments":{"q":1}})"),
       R"( | look#c({"q":1}) | calls)"},
      {"arguments that are no JSON are the model's word",
       kCreated + completed(R"({"type":"function_call","call_id":"c","name":"look","arguments":"{\"q\""})"),
       R"( | look#c({"q") | calls)"},
      {"one that says it is not whole",
       kCreated +
           completed(
               R"({"type":"function_call","call_id":"c","name":"look","arguments":"{}","status":"incomplete"})"),
       "StreamCutError again"},
      {"one of a kind that was not offered",
       kCreated + completed(R"({"type":"custom_tool_call","call_id":"c","name":"x","input":"y"})"),
       "UnknownStopReasonError final"},
      {"one that the provider answered itself",
       kCreated +
           completed(R"({"type":"shell_call","call_id":"c"},{"type":"shell_call_output","call_id":"c"},)"
                     R"({"type":"message","content":[{"type":"output_text","text":"hello"}]})"),
       R"(<{"type":"shell_call","call_id":"c"}><{"type":"shell_call_output","call_id":"c"}>hello | end)"},
      {"an item without a type", kCreated + completed(R"({"call_id":"c"})"), "StreamCutError again"},
  });
}

TEST(ResponsesShapes, WhatWasThoughtIsKeptInItsPlace) {
  const std::string thought =
      R"({"type":"reasoning","id":"r1","summary":[],"encrypted_content":"whole","status":null})";
  expect({
      {"before a call",
       kCreated + added(0, R"({"type":"reasoning","id":"r1","summary":[],"encrypted_content":"ha"})") +
           done(0, thought) + added(1, R"({"type":"function_call","id":"f1","call_id":"c1","name":"look"})") +
           arguments(R"("item_id":"f1","output_index":1)", "{}") + completed(),
       R"(<{"type":"reasoning","id":"r1","summary":[],"encrypted_content":"whole"}> | look#c1({}) | calls)"},
      {"between calls",
       kCreated +
           completed(R"({"type":"function_call","call_id":"a","name":"look","arguments":"{}"},)" + thought +
                     R"(,{"type":"function_call","call_id":"b","name":"look","arguments":"{}"})"),
       R"(<call 0><{"type":"reasoning","id":"r1","summary":[],"encrypted_content":"whole"}> | look#a({}) | look#b({}) | calls)"},
      {"half a cipher is none",
       kCreated + added(0, R"({"type":"reasoning","id":"r1","summary":[],"encrypted_content":"ha"})") +
           completed(),
       R"(<{"type":"reasoning","id":"r1","summary":[]}> | end)"},
      {"a summary in pieces",
       kCreated + added(0, R"({"type":"reasoning","id":"r1","summary":[]})") +
           frame("response.reasoning_summary_text.delta",
                 R"("item_id":"r1","summary_index":0,"delta":"I ")") +
           frame("response.reasoning_summary_text.delta",
                 R"("item_id":"r1","summary_index":0,"delta":"see")") +
           frame("response.reasoning_summary_text.delta",
                 R"("item_id":"r1","summary_index":99,"delta":"?")") +
           completed(),
       R"(<{"type":"reasoning","id":"r1","summary":[{"type":"summary_text","text":"I see"}]}> | end)"},
      {"thoughts in plain words",
       kCreated + added(0, R"({"type":"reasoning","id":"r1","summary":[]})") +
           frame("response.reasoning_text.delta", R"("item_id":"r1","content_index":0,"delta":"why")") +
           frame("response.reasoning_text.done", R"("item_id":"r1","content_index":0,"text":"why")") +
           completed(),
       R"(<{"type":"reasoning","id":"r1","summary":[],"content":[{"type":"reasoning_text","text":"why"}]}> | end)"},
      {"thoughts of an item that did not begin",
       kHello + frame("response.reasoning_text.delta", R"("item_id":"r9","delta":"why")") + completed(),
       "hello | end"},
      {"items of tomorrow", kCreated + completed(R"({"type":"compaction","id":"k","encrypted_content":"e"})"),
       R"(<{"type":"compaction","id":"k","encrypted_content":"e"}> | end)"},
  });
}

TEST(ResponsesShapes, AnAnswerHasABoundOfItems) {
  std::string output;
  for (int i = 0; i < 2000; ++i)
    output += std::string(i == 0 ? "" : ",") + R"({"type":"reasoning","summary":[]})";
  EXPECT_EQ(shapes::said(shapes::decode(kOpenaiResponses, kCreated + completed(output))),
            "BadRequestError final");
}

TEST(ResponsesShapes, Usage) {
  const auto answer = shapes::decode(
      kOpenaiResponses,
      kHello +
          ended(
              "completed",
              R"("status":"completed","usage":{"input_tokens":30,"input_tokens_details":{"cached_tokens":20,)"
              R"("cache_write_tokens":4},"output_tokens":12,"output_tokens_details":{"reasoning_tokens":9}})"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->usage.input_tokens, 30);
  EXPECT_EQ(answer->usage.cached_input_tokens, 20);
  EXPECT_EQ(answer->usage.cache_write_tokens, 4);
  EXPECT_EQ(answer->usage.output_tokens, 12);
  EXPECT_EQ(answer->usage.reasoning_tokens, 9);
  EXPECT_EQ(answer->model, "m");
}

TEST(ResponsesShapes, NumbersOfArgumentsStayAsTheyAreWritten) {
  const auto call = [](const std::string& number) {
    return kCreated + kCall +
           done(
               0,
               R"({"type":"function_call","call_id":"c1","name":"look","status":"completed","arguments":{"v":)" +
                   number + "}}") +
           completed();
  };
  expect({
      {"beyond 64 bits", call("9223372036854775808123"),
       R"( | look#c1({"v":9223372036854775808123}){"status":"completed"} | calls)"},
      {"beyond a double", call("1e400"), R"( | look#c1({"v":1e400}){"status":"completed"} | calls)"},
      {"what nobody reads", frame("response.queued", R"("created_at":1e400)") + kHello + completed(),
       "hello | end"},
  });
}

TEST(ResponsesShapes, CountsAreBelievedTogetherOrNotAtAll) {
  const auto counted = [](const std::string& usage) {
    return shapes::counted(
        kOpenaiResponses,
        kHello + ended("completed", R"("status":"completed","output":[],"usage":{)" + usage + "}"));
  };
  EXPECT_EQ(counted(R"("input_tokens":5,"output_tokens":6)"), "5 6");
  EXPECT_EQ(counted(R"("input_tokens":5,"output_tokens":-6)"), "0 0");
}

}  // namespace
}  // namespace holdfast::model
