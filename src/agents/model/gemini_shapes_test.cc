// Shapes in which servers of Gemini's format answer, and what is made of each: read where it is certain, an
// error where it is not, and never an answer that may not be whole.

#include <gtest/gtest.h>

#include "model/shapes.h"

namespace holdfast::model {
namespace {

struct Row {
  const char* what;
  std::string body;
  const char* said;
};

std::string frame(const std::string& document) {
  return "data: " + document + "\n\n";
}
std::string candidate(const std::string& parts, const std::string& more = "") {
  return R"({"candidates":[{"content":{"parts":[)" + parts + R"(],"role":"model"},"index":0)" + more + "}]}";
}
std::string parts(const std::string& json) {
  return frame(candidate(json));
}
std::string finish(const std::string& reason, const std::string& more = "") {
  return frame(R"({"candidates":[{"finishReason":")" + reason + "\"" + more + "}]}");
}

const std::string kHello = parts(R"({"text":"hel"})") + parts(R"({"text":"lo"})");
const std::string kCall = parts(R"({"functionCall":{"id":"c1","name":"look","args":{"q":1}}})");
const std::string kEnd = finish("STOP");

void expect(const std::vector<Row>& rows) {
  for (const Row& row : rows)
    EXPECT_EQ(shapes::said(shapes::decode(kGemini, row.body)), row.said) << row.what;
}

TEST(GeminiShapes, FramesThatSayNothing) {
  expect({
      {"plain", kHello + kEnd, "hello | end"},
      {"comments", ": ping\n\n" + kHello + ":\n\n" + kEnd, "hello | end"},
      {"words", frame("ping") + kHello + frame("keep-alive") + kEnd, "hello | end"},
      {"empty documents", frame("{}") + frame("null") + kHello + kEnd, "hello | end"},
      {"counts alone", kHello + frame(R"({"usageMetadata":{"promptTokenCount":3}})") + kEnd, "hello | end"},
      {"no parts", frame(R"({"candidates":[{"content":{"role":"model"}}]})") + kHello + kEnd, "hello | end"},
      {"no content", frame(R"({"candidates":[{"index":0}]})") + kHello + kEnd, "hello | end"},
      {"null everywhere", frame(R"({"candidates":null,"promptFeedback":null})") + kHello + kEnd,
       "hello | end"},
      {"an end in the last piece",
       parts(R"({"text":"hel"})") + frame(candidate(R"({"text":"lo"})", R"(,"finishReason":"STOP")")),
       "hello | end"},
      {"[DONE] of a gateway", kHello + kEnd + "data: [DONE]\n\n", "hello | end"},
      {"another candidate",
       frame(R"({"candidates":[{"index":1,"content":{"parts":[{"text":"no"}]}}]})") + kHello + kEnd,
       "hello | end"},
      {"half a document", kHello + frame(R"({"candidates":[)") + kEnd, "StreamCutError again"},
      {"other words", frame("what?") + kHello + kEnd, "StreamCutError again"},
      {"content that is a text", frame(R"({"candidates":[{"content":"hello","finishReason":"STOP"}]})"),
       "StreamCutError again"},
      {"parts that are no list", frame(R"({"candidates":[{"content":{"parts":{"text":"x"}}}]})") + kEnd,
       "StreamCutError again"},
      {"a part that is no object", parts("7") + kEnd, "StreamCutError again"},
  });
}

TEST(GeminiShapes, TheEnd) {
  expect({
      {"nothing at all", "", "StreamCutError again"},
      {"text, and nothing behind it", kHello, "StreamCutError again"},
      {"text, and [DONE]", kHello + "data: [DONE]\n\n", "StreamCutError again"},
      {"an empty answer", kEnd, " | end"},
      {"the limit", kHello + finish("MAX_TOKENS"), "hello | max"},
      {"safety", kHello + finish("SAFETY"), "ContentFilterError final"},
      {"recitation", kHello + finish("RECITATION"), "ContentFilterError final"},
      {"a list", kHello + finish("BLOCKLIST"), "ContentFilterError final"},
      {"prohibited", kHello + finish("PROHIBITED_CONTENT"), "ContentFilterError final"},
      {"personal data", kHello + finish("SPII"), "ContentFilterError final"},
      {"an image", kHello + finish("IMAGE_SAFETY"), "ContentFilterError final"},
      {"armour", kHello + finish("MODEL_ARMOR"), "ContentFilterError final"},
      {"a broken call", finish("MALFORMED_FUNCTION_CALL", R"(,"finishMessage":"call:look{")"),
       "StreamCutError again"},
      {"a broken answer", finish("MALFORMED_RESPONSE"), "StreamCutError again"},
      {"a call that was not offered", finish("UNEXPECTED_TOOL_CALL"), "StreamCutError again"},
      {"a missing signature", finish("MISSING_THOUGHT_SIGNATURE"), "UnknownStopReasonError final"},
      {"too many calls", finish("TOO_MANY_TOOL_CALLS"), "UnknownStopReasonError final"},
      {"another reason", kHello + finish("OTHER"), "UnknownStopReasonError final"},
      {"a language", kHello + finish("LANGUAGE"), "UnknownStopReasonError final"},
      {"a reason that nobody knows", kHello + finish("BANANA"), "UnknownStopReasonError final"},
      {"a reason that is a number", kHello + frame(R"({"candidates":[{"finishReason":7}]})"),
       "UnknownStopReasonError final"},
      {"a reason that says none", kHello + finish("FINISH_REASON_UNSPECIFIED"), "StreamCutError again"},
      {"none, and then one", kHello + finish("FINISH_REASON_UNSPECIFIED") + kEnd, "hello | end"},
      {"cut, and whole", kHello + finish("MAX_TOKENS") + kEnd, "StreamCutError again"},
      {"whole, and cut", kHello + kEnd + finish("MAX_TOKENS"), "StreamCutError again"},
      {"whole, and filtered", kHello + kEnd + finish("SAFETY"), "ContentFilterError final"},
      {"whole with each document", kEnd + kHello + kEnd + kCall + kEnd,
       "hello | look#c1({\"q\":1}){\"functionCall\":{\"id\":\"c1\"}} | calls"},
      {"cut, and whole, in a list",
       "[" + candidate(R"({"text":"hello"})", R"(,"finishReason":"MAX_TOKENS")") + "," +
           candidate(R"({"text":""})", R"(,"finishReason":"STOP")") + "]",
       "StreamCutError again"},
      {"another answer behind the end",
       frame(
           R"({"responseId":"a","candidates":[{"content":{"parts":[{"text":"hello"}]},"finishReason":"STOP"}]})") +
           frame(
               R"({"responseId":"b","candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}]})"),
       "StreamCutError again"},
      {"of another candidate", kHello + frame(R"({"candidates":[{"index":1,"finishReason":"STOP"}]})"),
       "StreamCutError again"},
  });
}

TEST(GeminiShapes, PromptsThatAreRefused) {
  expect({
      {"by safety", frame(R"({"promptFeedback":{"blockReason":"SAFETY"}})"), "ContentFilterError final"},
      {"by a list", frame(R"({"promptFeedback":{"blockReason":"BLOCKLIST","blockReasonMessage":"no"}})"),
       "ContentFilterError final"},
      {"by something of tomorrow", frame(R"({"promptFeedback":{"blockReason":"X"}})"),
       "ContentFilterError final"},
      {"by nothing",
       frame(R"({"promptFeedback":{"blockReason":"BLOCK_REASON_UNSPECIFIED","safetyRatings":[]}})") + kHello +
           kEnd,
       "hello | end"},
      {"ratings alone", frame(R"({"promptFeedback":{"safetyRatings":[]}})") + kHello + kEnd, "hello | end"},
      {"with counts",
       frame(R"({"promptFeedback":{"blockReason":"OTHER"},"usageMetadata":{"promptTokenCount":3}})"),
       "ContentFilterError final"},
  });
}

TEST(GeminiShapes, ErrorsInTheStream) {
  expect({
      {"a quota that passes", frame(R"({"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}})"),
       "RateLimitedError again"},
      {"a quota of nothing",
       frame(R"({"error":{"code":429,"message":"limit: 0, model: m","status":"RESOURCE_EXHAUSTED"}})"),
       "QuotaExhaustedError final"},
      {"busy", kHello + frame(R"({"error":{"code":503,"message":"x","status":"UNAVAILABLE"}})"),
       "OverloadedError again"},
      {"its own fault", frame(R"({"error":{"code":500,"message":"x","status":"INTERNAL"}})"),
       "OverloadedError again"},
      {"too late", frame(R"({"error":{"code":504,"message":"x","status":"DEADLINE_EXCEEDED"}})"),
       "TimeoutError again"},
      {"ours", frame(R"({"error":{"code":400,"message":"x","status":"INVALID_ARGUMENT"}})"),
       "BadRequestError final"},
      {"a key",
       frame(
           R"({"error":{"code":400,"message":"x","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}})"),
       "AuthError final"},
      {"in a list", frame(R"([{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}])"),
       "OverloadedError again"},
      {"in an event named error", "event: error\ndata: boom\n\n", "StreamCutError again"},
      {"cancelled", frame(R"({"error":{"code":499,"message":"x","status":"CANCELLED"}})"),
       "BadRequestError final"},
  });
}

TEST(GeminiShapes, DocumentsInsteadOfAStream) {
  const std::string hello = candidate(R"({"text":"hello"})", R"(,"finishReason":"STOP")");
  expect({
      {"one", hello, "hello | end"},
      {"a call", candidate(R"({"functionCall":{"name":"look","args":{}}})", R"(,"finishReason":"STOP")"),
       " | look#call_0({}) | calls"},
      {"a list",
       "[" + candidate(R"({"text":"hel"})") + ",\n" +
           candidate(R"({"text":"lo"})", R"(,"finishReason":"STOP")") + "]",
       "hello | end"},
      {"a list without an end", "[" + candidate(R"({"text":"hel"})") + "]", "StreamCutError again"},
      {"half a list", "[" + candidate(R"({"text":"hel"})") + ",", "StreamCutError again"},
      {"a list that ends in an error",
       "[" + candidate(R"({"text":"hel"})") + R"(,{"error":{"code":503,"message":"x"}}])",
       "OverloadedError again"},
      {"an empty list", "[]", "StreamCutError again"},
      {"a list of something", "[1]", "BadRequestError final"},
      {"without an end", candidate(R"({"text":"hello"})"), "StreamCutError again"},
      {"a refused prompt", R"({"promptFeedback":{"blockReason":"SAFETY"}})", "ContentFilterError final"},
      {"another document", R"({"hello":"world"})", "BadRequestError final"},
      {"a chat's", R"({"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}]})",
       "BadRequestError final"},
  });
}

TEST(GeminiShapes, Calls) {
  expect({
      {"as the format says", kCall + kEnd, R"( | look#c1({"q":1}){"functionCall":{"id":"c1"}} | calls)"},
      {"no id", parts(R"({"functionCall":{"name":"look","args":{"q":1}}})") + kEnd,
       R"( | look#call_0({"q":1}) | calls)"},
      {"two in one piece, no ids",
       parts(R"({"functionCall":{"name":"look","args":{}}},{"functionCall":{"name":"look","args":{}}})") +
           kEnd,
       " | look#call_0({}) | look#call_1({}) | calls"},
      {"one id twice",
       parts(
           R"({"functionCall":{"id":"c","name":"look","args":{}}},{"functionCall":{"id":"c","name":"list","args":{}}})") +
           kEnd,
       R"( | look#c({}){"functionCall":{"id":"c"}} | list#c_2({}){"functionCall":{"id":"c"}} | calls)"},
      {"no arguments", parts(R"({"functionCall":{"name":"look"}})") + kEnd, " | look#call_0({}) | calls"},
      {"null arguments", parts(R"({"functionCall":{"name":"look","args":null}})") + kEnd,
       " | look#call_0({}) | calls"},
      {"no name", parts(R"({"functionCall":{"args":{}}})") + kEnd, "StreamCutError again"},
      {"arguments that are text", parts(R"({"functionCall":{"name":"look","args":"{}"}})") + kEnd,
       "StreamCutError again"},
      {"a call that is text", parts(R"({"functionCall":"look"})") + kEnd, "StreamCutError again"},
      {"a call in pieces",
       parts(R"({"functionCall":{"name":"look","partialArgs":[{"jsonPath":"$.q"}],"willContinue":true}})") +
           kEnd,
       "StreamCutError again"},
      {"a call, and no end", kCall, "StreamCutError again"},
      {"a call, and the limit", kCall + finish("MAX_TOKENS"),
       R"( | look#c1({"q":1}){"functionCall":{"id":"c1"}} | max)"},
      {"text behind a call", kCall + kHello + kEnd,
       R"(<call 0>hello | look#c1({"q":1}){"functionCall":{"id":"c1"}} | calls)"},
  });
}

TEST(GeminiShapes, SignaturesStayOnTheirParts) {
  expect({
      {"on a call", parts(R"({"functionCall":{"name":"look","args":{}},"thoughtSignature":"s"})") + kEnd,
       R"( | look#call_0({}){"part":{"thoughtSignature":"s"}} | calls)"},
      {"on the first of two",
       parts(
           R"({"functionCall":{"name":"look","args":{}},"thoughtSignature":"s"},{"functionCall":{"name":"list","args":{}}})") +
           kEnd,
       R"( | look#call_0({}){"part":{"thoughtSignature":"s"}} | list#call_1({}) | calls)"},
      {"on a text",
       parts(R"({"text":"a"})") + parts(R"({"text":"b","thoughtSignature":"s"})") + parts(R"({"text":"c"})") +
           kEnd,
       R"(ab{"thoughtSignature":"s"}c | end)"},
      {"on nothing",
       kHello + frame(candidate(R"({"text":"","thoughtSignature":"s"})", R"(,"finishReason":"STOP")")),
       R"(hello<{"text":"","thoughtSignature":"s"}> | end)"},
      {"behind the reason to stop", kHello + kEnd + parts(R"({"text":"","thoughtSignature":"s"})"),
       R"(hello<{"text":"","thoughtSignature":"s"}> | end)"},
      {"thoughts in pieces",
       parts(R"({"text":"I ","thought":true})") + parts(R"({"text":"see","thought":true})") + kHello + kEnd,
       R"(<{"text":"I see","thought":true}>hello | end)"},
      {"a thought of no words",
       parts(R"({"text":"","thought":true})") + parts(R"({"thought":true})") + kHello + kEnd, "hello | end"},
      {"a thought of no words with a mark",
       parts(R"({"text":"","thought":true,"thoughtSignature":"s"})") + kHello + kEnd,
       R"(<{"text":"","thought":true,"thoughtSignature":"s"}>hello | end)"},
      {"a thought with a mark of tomorrow",
       parts(R"({"text":"a","thought":true})") + parts(R"({"text":"b","thought":true,"x":1})") +
           parts(R"({"text":"c","thought":true})") + kEnd,
       R"(<{"text":"a","thought":true}><{"text":"b","thought":true,"x":1}><{"text":"c","thought":true}> | end)"},
      {"a signed thought",
       parts(R"({"text":"a","thought":true})") +
           parts(R"({"text":"b","thought":true,"thoughtSignature":"s"})") + kEnd,
       R"(<{"text":"a","thought":true}><{"text":"b","thought":true,"thoughtSignature":"s"}> | end)"},
      {"thought: false is a text", parts(R"({"text":"hello","thought":false})") + kEnd, "hello | end"},
      {"code and its result",
       parts(R"({"executableCode":{"code":"1+1"}},{"codeExecutionResult":{"output":"2"}})") + kHello + kEnd,
       R"(<{"executableCode":{"code":"1+1"}}><{"codeExecutionResult":{"output":"2"}}>hello | end)"},
      {"an image", parts(R"({"inlineData":{"mimeType":"image/png","data":"x"}})") + kEnd,
       R"(<{"inlineData":{"mimeType":"image/png","data":"x"}}> | end)"},
      {"parts of tomorrow", parts(R"({"x":{"y":1}})") + kHello + kEnd, R"(<{"x":{"y":1}}>hello | end)"},
      {"where it looked",
       kHello + frame(R"({"candidates":[{"finishReason":"STOP","groundingMetadata":{"q":["a"]}}]})"),
       R"(hello | end | {"groundingMetadata":{"q":["a"]}})"},
  });
}

TEST(GeminiShapes, UsageCountsWhatWasThoughtOnce) {
  const auto answer = shapes::decode(
      kGemini,
      kHello +
          frame(
              R"({"candidates":[{"finishReason":"STOP"}],"modelVersion":"m","responseId":"r","usageMetadata":)"
              R"({"promptTokenCount":30,"cachedContentTokenCount":20,"toolUsePromptTokenCount":5,)"
              R"("candidatesTokenCount":12,"thoughtsTokenCount":9,"totalTokenCount":56}})"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->usage.input_tokens, 35);
  EXPECT_EQ(answer->usage.cached_input_tokens, 20);
  EXPECT_EQ(answer->usage.output_tokens, 21);
  EXPECT_EQ(answer->usage.reasoning_tokens, 9);
  EXPECT_EQ(answer->model, "m");
  EXPECT_EQ(answer->request_id, "r");
}

TEST(GeminiShapes, ARefusalSaysInItsBodyWhenToAskAgain) {
  const auto refused = [](const std::string& details, net::Headers headers = {}) {
    net::HttpHead head;
    head.status = 429;
    head.headers = std::move(headers);
    return kGemini.classify_error(
        head,
        R"({"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED","details":[)" + details +
            "]}}",
        WallTime());
  };
  using std::chrono::milliseconds;
  EXPECT_EQ(
      refused(R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.0741s"})").retry_after,
      milliseconds(34075));
  EXPECT_EQ(refused(R"({"retryDelay":"7s"})").retry_after, milliseconds(7000));
  EXPECT_EQ(refused(R"({"retryDelay":"7s"})", {{"retry-after-ms", "12"}}).retry_after, milliseconds(12));
  for (const char* odd : {R"({"retryDelay":"s"})", R"({"retryDelay":"-3s"})", R"({"retryDelay":"1e9s"})",
                          R"({"retryDelay":7})", R"({"retryDelay":"99999999999s"})", "7"}) {
    EXPECT_EQ(refused(odd).retry_after, std::nullopt) << odd;
    EXPECT_EQ(refused(odd).kind, ErrorKind::kRateLimited) << odd;
  }
}

TEST(GeminiShapes, NumbersOfArgumentsStayAsTheyAreWritten) {
  const auto call = [](const std::string& number, const std::string& more = "") {
    return frame(
        R"({"created":1e400,"candidates":[{"content":{"parts":[{"functionCall":{"id":"c1","name":"look","args":{"v":)" +
        number + R"(}}}]},"avgLogprobs":-1e999}])" + more + "}");
  };
  expect({
      {"beyond 64 bits", call("9223372036854775808123") + kEnd,
       R"( | look#c1({"v":9223372036854775808123}){"functionCall":{"id":"c1"}} | calls)"},
      {"more digits than a double", call("12345678901234567890.5") + kEnd,
       R"( | look#c1({"v":12345678901234567890.5}){"functionCall":{"id":"c1"}} | calls)"},
      {"beyond a double", call("1e400") + kEnd,
       R"( | look#c1({"v":1e400}){"functionCall":{"id":"c1"}} | calls)"},
      {"what nobody reads", frame(R"({"created":1e400})") + kHello + kEnd, "hello | end"},
      {"kept for the provider", parts(R"({"executableCode":{"n":1e400}})") + kEnd, "StreamCutError again"},
  });
}

TEST(GeminiShapes, CountsAreBelievedTogetherOrNotAtAll) {
  const auto counted = [](const std::string& usage) {
    return shapes::counted(kGemini, kHello + frame(R"({"usageMetadata":{)" + usage + "}}") + kEnd);
  };
  EXPECT_EQ(counted(R"("promptTokenCount":5,"candidatesTokenCount":6,"thoughtsTokenCount":1)"), "5 7");
  EXPECT_EQ(counted(R"("promptTokenCount":5,"candidatesTokenCount":6}})"
                    "\n\n"
                    R"(data: {"usageMetadata":{"trafficType":"ON_DEMAND")"),
            "5 6")
      << "what is not said again is not taken back";
  EXPECT_EQ(counted(R"("promptTokenCount":5,"candidatesTokenCount":-6)"), "0 0");
  EXPECT_EQ(counted(R"("promptTokenCount":5,"thoughtsTokenCount":1e19)"), "0 0");
}

}  // namespace
}  // namespace holdfast::model
