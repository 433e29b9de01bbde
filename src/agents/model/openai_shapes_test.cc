// Shapes in which servers of OpenAI's format answer, and what is made of each: read where it is certain, an
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

std::string frame(const std::string& data) {
  return "data: " + data + "\n\n";
}
std::string delta(const std::string& delta_json) {
  return frame(R"({"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":)" +
               delta_json + R"(,"finish_reason":null}]})");
}
std::string finish(const std::string& reason) {
  return frame(R"({"choices":[{"index":0,"delta":{},"finish_reason":")" + reason + R"("}]})");
}
std::string call(const std::string& members) {
  return delta(R"({"tool_calls":[{)" + members + "}]}");
}
const std::string kDone = "data: [DONE]\n\n";
const std::string kHello = delta(R"({"content":"hello"})");
const std::string kStop = finish("stop");
const std::string kCalls = finish("tool_calls");
const std::string kEnd = kStop + kDone;

void expect(const std::vector<Row>& rows) {
  for (const Row& row : rows)
    EXPECT_EQ(shapes::said(shapes::decode(kOpenAi, row.body)), row.said) << row.what;
}

TEST(OpenAiShapes, FramesThatSayNothing) {
  expect({
      {"plain", kHello + kEnd, "hello | end"},
      {"comments", ": ping\n\n" + kHello + ":\n\n" + kEnd, "hello | end"},
      {"empty data", "data:\n\n" + kHello + "data: \n\n" + kEnd, "hello | end"},
      {"a comment as data", frame(": keepalive") + kHello + frame(": OPENROUTER PROCESSING") + kEnd,
       "hello | end"},
      {"words", frame("ping") + kHello + frame("keep-alive") + frame("Heartbeat") + kEnd, "hello | end"},
      {"an event named ping", "event: ping\ndata: {}\n\n" + kHello + kEnd, "hello | end"},
      {"null and empty documents", frame("null") + frame("{}") + frame("[]") + kHello + kEnd, "hello | end"},
      {"no choices, for a filter's results",
       frame(R"({"choices":[],"prompt_filter_results":[]})") + kHello + kEnd, "hello | end"},
      {"a frame of measurements", kHello + frame(R"({"id":"x","x_groq":{"id":"r"}})") + kEnd, "hello | end"},
      {"null everywhere",
       delta(R"({"role":"assistant","content":null,"tool_calls":null,"refusal":null,"function_call":null})") +
           kHello + kEnd,
       "hello | end"},
      {"no [DONE]", kHello + kStop, "hello | end"},
      {"a [DONE] with blanks", kHello + kStop + "data:  [DONE] \n\n", "hello | end"},
      {"something behind [DONE]", kHello + kEnd + frame("what?"), "hello | end"},
      {"other words", frame("what?") + kHello + kEnd, "StreamCutError again"},
      {"half a chunk", frame(R"({"choices":[{"delta":{"content":"hel)") + kEnd, "StreamCutError again"},
      {"a number", frame("17") + kHello + kEnd, "StreamCutError again"},
  });
}

TEST(OpenAiShapes, TheEnd) {
  expect({
      {"nothing at all", "", "StreamCutError again"},
      {"only [DONE]", kDone, "StreamCutError again"},
      {"text, and no reason to stop", kHello + kDone, "StreamCutError again"},
      {"text, and nothing behind it", kHello, "StreamCutError again"},
      {"an empty answer", kEnd, " | end"},
      {"length", kHello + finish("length"), "hello | max"},
      {"length by Mistral", kHello + finish("model_length"), "hello | max"},
      {"length in capitals", kHello + finish("MAX_TOKENS"), "hello | max"},
      {"eos", kHello + finish("eos_token"), "hello | end"},
      {"STOP", kHello + finish("STOP"), "hello | end"},
      {"filter", kHello + finish("content_filter"), "ContentFilterError final"},
      {"filter by Gemini", kHello + finish("SAFETY"), "ContentFilterError final"},
      {"the server's fault", kHello + finish("error"), "OverloadedError again"},
      {"by vLLM", kHello + finish("abort"), "OverloadedError again"},
      {"by DeepSeek", kHello + finish("insufficient_system_resource"), "OverloadedError again"},
      {"none in words, by KoboldCpp", finish("null") + kHello + kEnd, "hello | end"},
      {"none in words, and nothing else", kHello + finish("null") + kDone, "StreamCutError again"},
      {"a reason that nobody knows", kHello + finish("banana"), "UnknownStopReasonError final"},
      {"a reason that is a number", kHello + frame(R"({"choices":[{"delta":{},"finish_reason":7}]})"),
       "UnknownStopReasonError final"},
      {"calls announced, none made", kHello + kCalls, "StreamCutError again"},
      {"a refusal", delta(R"({"refusal":"I ca"})") + delta(R"({"refusal":"nnot"})") + kEnd,
       "ContentFilterError final"},
      {"a refusal beside text", kHello + delta(R"({"refusal":"no"})") + kEnd, "ContentFilterError final"},
      {"a refusal in parts", delta(R"({"content":[{"type":"refusal","refusal":"no"}]})") + kEnd,
       "ContentFilterError final"},
      {"text in the chunk that ends",
       frame(R"({"choices":[{"delta":{"content":"hello"},"finish_reason":"stop"}]})"), "hello | end"},
  });
}

TEST(OpenAiShapes, OneStreamIsOneAnswer) {
  const auto said_by = [](const std::string& id, const std::string& text) {
    return frame(R"({"id":")" + id + R"(","choices":[{"index":0,"delta":{"role":"assistant","content":")" +
                 text + R"("},"finish_reason":null}]})");
  };
  const std::string look = call(R"("index":0,"id":"c","function":{"name":"look","arguments":"{}"})");
  expect({
      {"cut, and whole", kHello + finish("length") + kEnd, "StreamCutError again"},
      {"whole, and cut", kHello + kStop + finish("length") + kDone, "StreamCutError again"},
      {"whole, and filtered", kHello + kStop + finish("content_filter"), "ContentFilterError final"},
      {"cut, and filtered", kHello + finish("length") + finish("content_filter"), "ContentFilterError final"},
      {"cut, and calls", look + finish("length") + kCalls + kDone, "StreamCutError again"},
      {"two ends in one document",
       R"({"choices":[{"message":{"content":"hello"},"finish_reason":"length"},{"finish_reason":"stop"}]})",
       "StreamCutError again"},
      {"the same reason with each chunk", kStop + kHello + kStop + kEnd, "hello | end"},
      {"the same said with another word", kHello + finish("length") + finish("max_tokens") + kDone,
       "hello | max"},
      {"ended, and then it calls", kStop + look + kCalls + kDone, " | look#c({}) | calls"},
      {"an id for each chunk", said_by("a", "hel") + said_by("b", "lo") + kEnd, "hello | end"},
      {"an empty id", said_by("", "hel") + said_by("a", "l") + said_by("a", "o") + kEnd, "hello | end"},
      {"counts with an id of their own",
       said_by("a", "hel") + said_by("a", "lo") + kStop + frame(R"({"id":"b","choices":[],"usage":{}})") +
           kDone,
       "hello | end"},
      {"another id", said_by("a", "hel") + said_by("a", "lo") + said_by("b", "hello") + kEnd,
       "StreamCutError again"},
      {"another answer behind the end", said_by("a", "hello") + kStop + said_by("b", "hello") + kEnd,
       "StreamCutError again"},
  });
}

TEST(OpenAiShapes, ErrorsInTheStream) {
  expect({
      {"an object", kHello + frame(R"({"error":{"message":"slow","type":"server_error"}})"),
       "OverloadedError again"},
      {"words", kHello + frame(R"({"error":"overloaded"})"), "StreamCutError again"},
      {"a number as code", frame(R"({"error":{"code":429,"message":"slow"}})"), "RateLimitedError again"},
      {"an empty one", frame(R"({"error":{}})"), "StreamCutError again"},
      {"none", frame(R"({"error":null,"choices":[]})") + kHello + kEnd, "hello | end"},
      {"vLLM's", frame(R"({"object":"error","message":"bad","type":"BadRequestError","code":400})"),
       "BadRequestError final"},
      {"FastAPI's", frame(R"({"detail":"boom"})"), "StreamCutError again"},
      {"Google's, in a list", frame(R"([{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}])"),
       "OverloadedError again"},
      {"Google's quota", frame(R"({"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}})"),
       "RateLimitedError again"},
      {"AWS's", frame(R"({"__type":"ThrottlingException","message":"slow"})"), "RateLimitedError again"},
      {"a list of errors", frame(R"({"errors":[{"message":"bad","code":"invalid_prompt"}]})"),
       "InvalidPromptError final"},
      {"in a choice",
       frame(R"({"choices":[{"delta":{"content":""},"error":{"code":502,"message":"up"},)"
             R"("finish_reason":"error"}]})"),
       "OverloadedError again"},
      {"in an event named error", "event: error\ndata: upstream died\n\n", "StreamCutError again"},
      {"an object in an event named error", "event: error\ndata: {\"foo\":1}\n\n", "StreamCutError again"},
      {"wrapped twice", frame(R"({"error":{"error":{"code":"insufficient_quota","message":"pay"}}})"),
       "QuotaExhaustedError final"},
      {"MiniMax's", frame(R"({"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}})"),
       "StreamCutError again"},
      {"after the text is complete, too late to matter", kHello + kEnd + frame(R"({"error":{"code":500}})"),
       "hello | end"},
      {"a filter's", frame(R"({"error":{"code":"content_filter","message":"no"}})"),
       "ContentFilterError final"},
  });
}

TEST(OpenAiShapes, OneDocumentInsteadOfAStream) {
  expect({
      {"an answer",
       R"({"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",)"
       R"("content":"hello"},"finish_reason":"stop"}]})",
       "hello | end"},
      {"a call",
       R"({"choices":[{"message":{"content":null,"tool_calls":[{"id":"c","type":"function",)"
       R"("function":{"name":"look","arguments":"{}"}}]},"finish_reason":"tool_calls"}]})",
       " | look#c({}) | calls"},
      {"a passing error", R"({"error":{"code":"rate_limit_exceeded","message":"slow"}})",
       "RateLimitedError again"},
      {"an overload", R"({"error":{"type":"overloaded_error","message":"x"}})", "OverloadedError again"},
      {"a quota", R"({"error":{"code":"insufficient_quota","message":"pay"}})", "QuotaExhaustedError final"},
      {"an answer without an end", R"({"choices":[{"message":{"content":"hello"}}]})",
       "StreamCutError again"},
      {"half of one", R"({"choices":[{"message":{"content":"hel)", "StreamCutError again"},
      {"another document", R"({"hello":"world"})", "BadRequestError final"},
      {"a list", "[1]", "BadRequestError final"},
  });
}

TEST(OpenAiShapes, ContentInParts) {
  expect({
      {"text in parts",
       delta(R"({"content":[{"type":"text","text":"hello"},{"type":"text","text":" there"}]})") + kEnd,
       "hello there | end"},
      {"thinking is not the answer",
       delta(R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"I "}]}]})") +
           delta(R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"see"}]}]})") +
           delta(R"({"content":"hello"})") + kEnd,
       R"(<{"type":"thinking","thinking":[{"type":"text","text":"I see"}]}>hello | end)"},
      {"one part, not in a list", delta(R"({"content":{"type":"text","text":"hello"}})") + kEnd,
       "hello | end"},
      {"texts in a list", delta(R"({"content":["hel","lo"]})") + kEnd, "hello | end"},
      {"a number", delta(R"({"content":7})") + kEnd, "StreamCutError again"},
      {"an unknown part is kept", delta(R"({"content":[{"type":"x","y":[1]}]})") + kHello + kEnd,
       R"(<{"type":"x","y":[1]}>hello | end)"},
  });
}

TEST(OpenAiShapes, WhatIsOpaqueIsKept) {
  expect({
      {"reasoning",
       delta(R"({"reasoning_content":"I need "})") + delta(R"({"reasoning_content":"it."})") + kHello + kEnd,
       R"(hello | end | {"reasoning_content":"I need it."})"},
      {"details by index",
       delta(R"({"reasoning_details":[{"type":"reasoning.text","index":0,"text":"a"}]})") +
           delta(
               R"({"reasoning_details":[{"type":"reasoning.text","index":0,"text":"b","signature":"s"}]})") +
           kHello + kEnd,
       R"(hello | end | {"reasoning_details":[{"type":"reasoning.text","index":0,"text":"ab","signature":"s"}]})"},
      {"a signature on a call",
       call(
           R"("index":0,"id":"c","function":{"name":"look","arguments":"{}"},"extra_content":{"google":{"s":"x"}})") +
           kStop,
       R"( | look#c({}){"extra_content":{"google":{"s":"x"}}} | calls)"},
      {"a signature within the function",
       call(R"("index":0,"id":"c","function":{"name":"look","arguments":"{}","thought":"x"})") + kStop,
       R"( | look#c({}){"function":{"thought":"x"}} | calls)"},
      {"annotations", kHello + delta(R"({"annotations":[{"type":"url_citation"}]})") + kEnd,
       R"(hello | end | {"annotations":[{"type":"url_citation"}]})"},
      {"what says nothing is not",
       delta(R"({"reasoning_content":"","annotations":[],"audio":null})") + kHello + kEnd, "hello | end"},
  });
}

TEST(OpenAiShapes, CallsInFragments) {
  const std::string begin =
      R"("index":0,"id":"c1","type":"function","function":{"name":"look","arguments":""})";
  const std::string a = R"("index":0,"function":{"arguments":"{\"q\":"})";
  const std::string b = R"("index":0,"function":{"arguments":"1}"})";
  expect({
      {"as the format says", call(begin) + call(a) + call(b) + kCalls, R"( | look#c1({"q":1}) | calls)"},
      {"two, interleaved",
       call(begin) + call(R"("index":1,"id":"c2","function":{"name":"list","arguments":"{"})") + call(a) +
           call(R"("index":1,"function":{"arguments":"}"})") + call(b) + kCalls,
       R"( | look#c1({"q":1}) | list#c2({}) | calls)"},
      {"counting from one",
       call(R"("index":1,"id":"c","function":{"name":"look","arguments":"{}"})") + kCalls,
       " | look#c({}) | calls"},
      {"no index",
       call(R"("id":"c1","function":{"name":"look","arguments":"{\"q\":"})") +
           call(R"("function":{"arguments":"1}"})") + kCalls,
       R"( | look#c1({"q":1}) | calls)"},
      {"always the index 0, other ids",
       call(R"("index":0,"id":"c1","function":{"name":"look","arguments":"{}"})") +
           call(R"("index":0,"id":"c2","function":{"name":"look","arguments":"{}"})") + kCalls,
       " | look#c1({}) | look#c2({}) | calls"},
      {"always the index 0, no ids, whole calls",
       call(R"("index":0,"function":{"name":"look","arguments":"{\"a\":1}"})") +
           call(R"("index":0,"function":{"name":"look","arguments":"{\"a\":2}"})") + kCalls,
       R"( | look#call_0({"a":1}) | look#call_1({"a":2}) | calls)"},
      {"one id twice",
       call(R"("index":0,"id":"c","function":{"name":"look","arguments":"{}"})") +
           call(R"("index":1,"id":"c","function":{"name":"list","arguments":"{}"})") + kCalls,
       " | look#c({}) | list#c_2({}) | calls"},
      {"the id with each fragment",
       call(begin) + call(R"("index":0,"id":"c1","function":{"arguments":"{\"q\":"})") +
           call(R"("index":0,"id":"c1","function":{"arguments":"1}"})") + kCalls,
       R"( | look#c1({"q":1}) | calls)"},
      {"the name with each fragment",
       call(begin) + call(R"("index":0,"id":"c1","function":{"name":"look","arguments":"{\"q\":"})") +
           call(R"("index":0,"id":"c1","function":{"name":"look","arguments":"1}"})") + kCalls,
       R"( | look#c1({"q":1}) | calls)"},
      {"another id with each fragment",
       call(begin) + call(R"("index":0,"id":"x2","function":{"name":"","arguments":"{\"q\":"})") +
           call(R"("index":0,"id":"x3","function":{"name":null,"arguments":"1}"})") + kCalls,
       R"( | look#c1({"q":1}) | calls)"},
      {"a wrong index, the right id",
       call(begin) + call(R"("index":7,"id":"c1","function":{"arguments":"{\"q\":1}"})") + kCalls,
       R"( | look#c1({"q":1}) | calls)"},
      {"a wrong index, one call",
       call(begin) + call(R"("index":3,"function":{"arguments":"{\"q\":1}"})") + kCalls,
       R"( | look#c1({"q":1}) | calls)"},
      {"a wrong index, two calls",
       call(begin) + call(R"("index":1,"id":"c2","function":{"name":"list","arguments":"{"})") +
           call(R"("index":9,"function":{"arguments":"}"})") + kCalls,
       "StreamCutError again"},
  });
}

TEST(OpenAiShapes, NamesIdsAndArgumentsOfCalls) {
  const std::string begin =
      R"("index":0,"id":"c1","type":"function","function":{"name":"look","arguments":""})";
  const std::string a = R"("index":0,"function":{"arguments":"{\"q\":"})";
  const std::string b = R"("index":0,"function":{"arguments":"1}"})";
  expect({
      {"a name that comes later",
       call(R"("index":0,"id":"c","function":{"arguments":"{\"q\""})") +
           call(R"("index":0,"function":{"name":"look","arguments":":1}"})") + kCalls,
       R"( | look#c({"q":1}) | calls)"},
      {"a name in two pieces",
       call(R"("index":0,"id":"c","function":{"name":"lo","arguments":""})") +
           call(R"("index":0,"function":{"name":"ok","arguments":"{}"})") + kCalls,
       " | look#c({}) | calls"},
      {"a name that never comes", call(R"("index":0,"id":"c","function":{"arguments":"{}"})") + kCalls,
       "StreamCutError again"},
      {"another name within arguments",
       call(begin) + call(a) + call(R"("index":0,"function":{"name":"list","arguments":"1}"})") + kCalls,
       "StreamCutError again"},
      {"an id that comes later",
       call(R"("index":0,"function":{"name":"look","arguments":"{"})") +
           call(R"("index":0,"id":"c","function":{"arguments":"}"})") + kCalls,
       " | look#call_0({}) | calls"},
      {"arguments as an object",
       call(R"("index":0,"id":"c","function":{"name":"look","arguments":{"q":1}})") + kStop,
       R"( | look#c({"q":1}) | calls)"},
      {"arguments null", call(R"("index":0,"id":"c","function":{"name":"look","arguments":null})") + kCalls,
       " | look#c() | calls"},
      {"arguments that are broken are the model's",
       call(R"("id":"c","function":{"name":"look","arguments":"{\"q\""})") + kCalls,
       R"( | look#c({"q") | calls)"},
      {"an index that is text",
       call(R"("index":"0","id":"c","function":{"name":"look","arguments":"{}"})") + kCalls,
       " | look#c({}) | calls"},
      {"one call, not in a list",
       delta(R"({"tool_calls":{"id":"c","function":{"name":"look","arguments":"{}"}}})") + kCalls,
       " | look#c({}) | calls"},
      {"the call from before there were several",
       delta(R"({"function_call":{"name":"look","arguments":"{"}})") +
           delta(R"({"function_call":{"arguments":"}"}})") + finish("function_call"),
       " | look#call_0({}) | calls"},
      {"stop beside calls", call(begin) + call(a) + call(b) + kStop, R"( | look#c1({"q":1}) | calls)"},
      {"cut off within a call", call(begin) + call(a) + finish("length"), R"( | look#c1({"q":) | max)"},
      {"a brace in a text",
       call(R"("index":0,"id":"c","function":{"name":"look","arguments":"{\"q\":\"}\""})") +
           call(R"("index":0,"id":"c","function":{"name":"look","arguments":"}"})") + kCalls,
       R"( | look#c({"q":"}"}) | calls)"},
  });
}

TEST(OpenAiShapes, AnAnswerStandsInOddPlacesAndIsThereOnce) {
  const std::string look = call(R"("index":0,"id":"c","function":{"name":"look","arguments":"{}"})");
  const auto choice = [](const std::string& members) { return frame(R"({"choices":[{)" + members + "}]}"); };
  expect({
      {"pieces, and all of it again, by MiniMax",
       kHello + choice(R"("finish_reason":"stop","message":{"role":"assistant","content":"hello"})"),
       "hello | end"},
      {"pieces, and something else as all of it",
       kHello + choice(R"("finish_reason":"stop","message":{"content":"hello there"})"),
       "StreamCutError again"},
      {"all so far beside what is new, by Perplexity",
       choice(R"("delta":{"content":"hel"},"message":{"content":"hel"})") +
           choice(R"("delta":{"content":"lo"},"message":{"content":"hello"})") +
           choice(R"("delta":{"content":""},"message":{"content":"hello"},"finish_reason":"stop")"),
       "hello | end"},
      {"calls, and all of them again",
       look + choice(R"("finish_reason":"tool_calls","message":{"content":"","tool_calls":[{"id":"c",)"
                     R"("function":{"name":"look","arguments":"{}"}}]})"),
       " | look#c({}) | calls"},
      {"calls, and others in their place",
       look + choice(R"("finish_reason":"tool_calls","message":{"content":"","tool_calls":[{"id":"c",)"
                     R"("function":{"name":"look","arguments":"{\"all\":true}"}}]})"),
       "StreamCutError again"},
      {"calls, and others of that number",
       look + choice(R"("finish_reason":"tool_calls","message":{"content":"","tool_calls":["look"]})"),
       "StreamCutError again"},
      {"calls, and a text in their place",
       look + choice(R"("finish_reason":"tool_calls","message":{"content":"","tool_calls":"x"})"),
       "StreamCutError again"},
      {"an empty delta beside the message",
       choice(R"("delta":{},"message":{"content":"hello"},"finish_reason":"stop")"), "hello | end"},
      {"messages in pieces",
       choice(R"("message":{"content":"hel"})") +
           choice(R"("message":{"content":"lo"},"finish_reason":"stop")"),
       "hello | end"},
      {"text and delta, by Together",
       choice(R"("text":"hello","delta":{"role":"assistant","content":"hello"})") +
           choice(R"("text":"","delta":{})") + kEnd,
       "hello | end"},
      {"text alone", choice(R"("text":"hello","finish_reason":"stop")"), "hello | end"},
      {"a delta that is a text", choice(R"("delta":"hello")") + kEnd, "StreamCutError again"},
      {"choices in no list", frame(R"({"choices":{"delta":{"content":"hello"}}})") + kHello + kEnd,
       "StreamCutError again"},
      {"a choice that is a text", frame(R"({"choices":["hello"]})") + kHello + kEnd, "StreamCutError again"},
      {"calls that are a text", kHello + delta(R"({"tool_calls":"look"})") + kEnd, "StreamCutError again"},
      {"a call that is a text", kHello + delta(R"({"tool_calls":["look"]})") + kEnd, "StreamCutError again"},
      {"an error in Groq's corner",
       kHello +
           frame(R"({"choices":[],"x_groq":{"id":"r","error":{"code":"over_capacity","message":"full"}}})") +
           kEnd,
       "StreamCutError again"},
  });
}

TEST(OpenAiShapes, CountsStandInOddPlaces) {
  const auto counted = [](const std::string& last) {
    return shapes::counted(kOpenAi, kHello + kStop + last + kDone);
  };
  const std::string usage = R"("usage":{"prompt_tokens":5,"completion_tokens":6})";
  EXPECT_EQ(counted(frame(R"({"choices":[{"index":0,"delta":{},)" + usage + "}]}")), "5 6") << "Moonshot";
  EXPECT_EQ(counted(frame(R"({"choices":[],"x_groq":{)" + usage + "}}")), "5 6") << "Groq";
  EXPECT_EQ(counted(frame("{" + usage + "}") +
                    frame(R"({"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}})")),
            "5 6")
      << "a gateway's zeros";
  EXPECT_EQ(counted(frame("{" + usage + "}") + frame(R"({"choices":[],"usage":{}})")), "5 6")
      << "nothing behind it";
  const auto cached = [](const std::string& members) {
    const auto said = shapes::decode(
        kOpenAi, kHello + kStop + frame(R"({"choices":[],"usage":{"prompt_tokens":5,)" + members + "}}"));
    return said ? said->usage.cached_input_tokens : -1;
  };
  EXPECT_EQ(cached(R"("cached_tokens":3)"), 3) << "Moonshot";
  EXPECT_EQ(cached(R"("prompt_cache_hit_tokens":3,"prompt_cache_miss_tokens":2)"), 3) << "DeepSeek";
  EXPECT_EQ(cached(R"("prompt_tokens_details":{"cached_tokens":3})"), 3);
}

TEST(OpenAiShapes, Characters) {
  const std::string high = "\\ud83d";
  const std::string low = "\\ude00";
  expect({
      {"a character in two chunks",
       delta(R"({"content":"a)" + high + R"("})") + delta(R"({"content":")" + low + R"(b"})") + kEnd,
       "a\xf0\x9f\x98\x80"
       "b | end"},
      {"a half alone", delta(R"({"content":"a)" + high + R"("})") + delta(R"({"content":"b"})") + kEnd,
       "a\xef\xbf\xbd"
       "b | end"},
      {"a half at the end", delta(R"({"content":"a)" + high + R"("})") + kEnd, "a\xef\xbf\xbd | end"},
      {"the second half alone", delta(R"({"content":")" + low + R"(a"})") + kEnd,
       "\xef\xbf\xbd"
       "a | end"},
      {"both in one chunk", delta(R"({"content":")" + high + low + R"("})") + kEnd, "\xf0\x9f\x98\x80 | end"},
      {"no escape at all", delta(R"({"content":"\\ud83d"})") + kEnd, "\\ud83d | end"},
      {"bytes of a character apart",
       delta("{\"content\":\"a\xf0\x9f\"}") + delta("{\"content\":\"\x98\"}") +
           delta("{\"content\":\"\x80z\"}") + kEnd,
       "a\xf0\x9f\x98\x80z | end"},
      {"bytes of a character apart, in arguments",
       call("\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"look\",\"arguments\":\"{\\\"q\\\":"
            "\\\"\xe2\x82\"}") +
           call("\"index\":0,\"function\":{\"arguments\":\"\xac\\\"}\"}") + kCalls + kDone,
       " | look#c({\"q\":\"\xe2\x82\xac\"}) | calls"},
      {"some of its bytes, and no more", delta("{\"content\":\"a\xe2\x82\"}") + kEnd, "a\xef\xbf\xbd | end"},
      {"some of its bytes, and then another",
       delta("{\"content\":\"a\xe2\x82\"}") + delta(R"({"content":"b"})") + kEnd,
       "a\xef\xbf\xbd"
       "b | end"},
      {"no UTF-8", delta("{\"content\":\"a\xff\xfe\"}") + kEnd, "a\xef\xbf\xbd\xef\xbf\xbd | end"},
      {"in what was thought",
       delta(R"({"reasoning_content":")" + high + R"("})") +
           delta(R"({"reasoning_content":")" + low + R"("})") + kHello + kEnd,
       "hello | end | {\"reasoning_content\":\"\xf0\x9f\x98\x80\"}"},
      {"in arguments",
       call(R"("index":0,"id":"c","function":{"name":"look","arguments":"{\"q\":\")" + high + R"("})") +
           call(R"("index":0,"function":{"arguments":")" + low + R"(\"}"})") + kCalls,
       " | look#c({\"q\":\"\xf0\x9f\x98\x80\"}) | calls"},
  });
  std::string streamed;
  (void)shapes::decode(
      kOpenAi, delta(R"({"content":")" + high + R"("})") + delta(R"({"content":")" + low + R"("})") + kEnd,
      &streamed);
  EXPECT_EQ(streamed, "\xf0\x9f\x98\x80") << "those who watch see no halves";
}

TEST(OpenAiShapes, ArgumentsThatComeAgain) {
  const std::string look = call(R"("index":0,"id":"c","function":{"name":"look","arguments":""})");
  const auto more = [](const std::string& arguments) {
    return call(R"("index":0,"function":{"arguments":")" + arguments + "\"}");
  };
  expect({
      {"in pieces, and as a whole",
       look + more("{\\\"q\\\":") + more("1}") + more("{\\\"q\\\":1}") + kCalls + kDone,
       R"( | look#c({"q":1}) | calls)"},
      {"the same, written anew", look + more("{\\\"q\\\":1}") + more("{ \\\"q\\\": 1 }") + kCalls + kDone,
       R"( | look#c({"q":1}) | calls)"},
      {"an object that keeps their place", look + more("{}") + more("{\\\"q\\\":1}") + kCalls + kDone,
       R"( | look#c({"q":1}) | calls)"},
      {"two that differ", look + more("{\\\"q\\\":1}") + more("{\\\"q\\\":2}") + kCalls + kDone,
       R"( | look#c({"q":1}{"q":2}) | calls)"},
      {"none twice", look + more("{}") + more("{}") + kCalls + kDone, R"( | look#c({}) | calls)"},
  });
}

TEST(OpenAiShapes, WhatWasThoughtIsCountedWhereItStandsBesideTheAnswer) {
  const auto counted = [](int total) {
    return shapes::counted(
        kOpenAi,
        kHello + kStop +
            frame(R"({"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":)" +
                  std::to_string(total) + R"(,"completion_tokens_details":{"reasoning_tokens":300}}})"));
  };
  EXPECT_EQ(counted(312), "10 302");
  EXPECT_EQ(counted(12), "10 2");
  EXPECT_EQ(counted(2'000'000'000), "10 2");  // more than a count can be
}

TEST(OpenAiShapes, NumbersOfArgumentsStayAsTheyAreWritten) {
  const auto one = [](const std::string& number) {
    return call(R"("index":0,"id":"c1","function":{"name":"look","arguments":{"v":)" + number + "}}") +
           kCalls + kDone;
  };
  expect({
      {"beyond 64 bits", one("9223372036854775808123"),
       R"( | look#c1({"v":9223372036854775808123}) | calls)"},
      {"beyond a double", one("1e400"), R"( | look#c1({"v":1e400}) | calls)"},
      {"what nobody reads", frame(R"({"created":1e400,"choices":[]})") + kHello + kEnd, "hello | end"},
  });
}

TEST(OpenAiShapes, CountsAreBelievedTogetherOrNotAtAll) {
  const auto counted = [](const std::string& usage) {
    return shapes::counted(kOpenAi, kHello + kStop + frame(R"({"choices":[],"usage":{)" + usage + "}}"));
  };
  EXPECT_EQ(counted(R"("prompt_tokens":5,"completion_tokens":6)"), "5 6");
  EXPECT_EQ(counted(R"("prompt_tokens":5,"completion_tokens":1e15)"), "0 0");
  EXPECT_EQ(
      counted(R"("prompt_tokens":5,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":-1})"),
      "0 0");
}

}  // namespace
}  // namespace holdfast::model
