// What a model said is said to it again: whole where it came from, without what only another understands, and
// in a form that is not refused.

#include "model/resend.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/shapes.h"

namespace holdfast::model {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kHere = "https://here.example/v1";
constexpr const char* kElsewhere = "https://elsewhere.example/v1";

Json messages(const Provider& provider, std::vector<Message> conversation, const char* base_url = kHere) {
  Request request;
  request.model = "m";
  request.messages = std::move(conversation);
  const Json body = Json::parse(*provider.encode(request, {base_url}));
  for (const char* name : {"messages", "input", "contents"}) {
    if (body.contains(name)) return body[name];
  }
  return {};
}

// As it comes back from the store.
Message heard(const Provider& provider, std::string_view body) {
  auto completion = shapes::decode(provider, body);
  EXPECT_TRUE(completion) << completion.error().message;
  completion->message.role = Role::kAssistant;
  if (completion->message.holds_opaque()) completion->message.origin = origin_of(provider.name, kHere);
  const std::string stored = to_json(completion->message);
  auto read = message_from_json(stored);
  EXPECT_TRUE(read) << read.error().message();
  EXPECT_EQ(to_json(*read), stored);
  return *read;
}

TEST(Resend, OpenAisOpaqueMembersGoBackWhereTheyCameFrom) {
  const Message said =
      heard(kOpenAi, R"({"choices":[{"message":{"content":"a","reasoning_content":"why",)"
                     R"("audio":{"id":"au","data":"long"},"tool_calls":[{"id":"c","function":)"
                     R"({"name":"look","arguments":"{}","thought":"t"},"extra_content":{"g":1}}]},)"
                     R"("finish_reason":"stop"}]})");
  const Message answer = Message::tool("c", "42");
  EXPECT_EQ(
      messages(kOpenAi, {said, answer})[0],
      Json::parse(R"({"role":"assistant","content":"a","tool_calls":[{"id":"c","type":"function","function":)"
                  R"({"name":"look","arguments":"{}","thought":"t"},"extra_content":{"g":1}}],)"
                  R"("reasoning_content":"why","audio":{"id":"au"}})"));
  EXPECT_EQ(
      messages(kOpenAi, {said, answer}, kElsewhere)[0],
      Json::parse(R"({"role":"assistant","content":"a","tool_calls":[{"id":"c","type":"function","function":)"
                  R"({"name":"look","arguments":"{}"}}]})"));
  EXPECT_EQ(messages(kAnthropic, {said, answer})[0],
            Json::parse(R"({"role":"assistant","content":[{"type":"text","text":"a"},)"
                        R"({"type":"tool_use","id":"c","name":"look","input":{}}]})"));
}

TEST(Resend, AnthropicsBlocksGoBackInTheirOrder) {
  const char* content =
      R"([{"type":"thinking","thinking":"t","signature":"s"},{"type":"tool_use","id":"a","name":"look","input":{"q":1}},)"
      R"({"type":"redacted_thinking","data":"x"},{"type":"text","text":"b","citations":[{"url":"u"}]},)"
      R"({"type":"tool_use","id":"b","name":"look","input":{}}])";
  const Message said = heard(
      kAnthropic, R"({"type":"message","content":)" + std::string(content) + R"(,"stop_reason":"tool_use"})");
  const std::vector<Message> conversation = {said, Message::tool("a", "1"), Message::tool("b", "2")};
  EXPECT_EQ(messages(kAnthropic, conversation)[0]["content"], Json::parse(content));
  EXPECT_EQ(
      messages(kAnthropic, conversation, kElsewhere)[0]["content"],
      Json::parse(R"([{"type":"text","text":"b"},{"type":"tool_use","id":"a","name":"look","input":{"q":1}},)"
                  R"({"type":"tool_use","id":"b","name":"look","input":{}}])"));
  EXPECT_EQ(messages(kOpenAi, conversation)[0]["content"], "b");
}

TEST(Resend, ResponsesItemsGoBackInTheirOrder) {
  const char* output =
      R"([{"type":"reasoning","id":"r1","summary":[],"encrypted_content":"e1"},)"
      R"({"type":"message","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[{"url":"u"}]},)"
      R"({"type":"output_text","text":"b","annotations":[]}],"id":"m1","status":"completed","phase":"commentary"},)"
      R"({"type":"reasoning","id":"r2","summary":[],"content":[{"type":"reasoning_text","text":"why"}]},)"
      R"({"type":"function_call","call_id":"a","name":"look","arguments":"{\"q\":1}","id":"f1","status":"completed"},)"
      R"({"type":"web_search_call","id":"w1","status":"completed"},)"
      R"({"type":"function_call","call_id":"b","name":"look","arguments":"{}","id":"f2"}])";
  const Message said = heard(
      kOpenaiResponses, R"({"object":"response","status":"completed","output":)" + std::string(output) + "}");
  const std::vector<Message> conversation = {said, Message::tool("a", "1"), Message::tool("b", "2")};
  Json expected = Json::parse(output);
  expected.push_back({{"type", "function_call_output"}, {"call_id", "a"}, {"output", "1"}});
  expected.push_back({{"type", "function_call_output"}, {"call_id", "b"}, {"output", "2"}});
  EXPECT_EQ(messages(kOpenaiResponses, conversation), expected);
  EXPECT_EQ(messages(kOpenaiResponses, conversation, kElsewhere),
            Json::parse(R"([{"type":"message","role":"assistant","content":"a"},)"
                        R"({"type":"message","role":"assistant","content":"b"},)"
                        R"({"type":"function_call","call_id":"a","name":"look","arguments":"{\"q\":1}"},)"
                        R"({"type":"function_call","call_id":"b","name":"look","arguments":"{}"},)"
                        R"({"type":"function_call_output","call_id":"a","output":"1"},)"
                        R"({"type":"function_call_output","call_id":"b","output":"2"}])"));
  EXPECT_EQ(messages(kOpenAi, conversation)[0]["content"], "ab");
}

TEST(Resend, ThoughtsThatWouldBeRefusedStayBehind) {
  // A name without a cipher means something that is stored, and nothing is; a thought that nothing came of.
  const Message said = heard(
      kOpenaiResponses,
      R"({"object":"response","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[)"
      R"({"type":"reasoning","id":"r1","summary":[{"type":"summary_text","text":"x"}]},)"
      R"({"type":"message","content":[{"type":"output_text","text":"a"}]},)"
      R"({"type":"reasoning","id":"r2","summary":[],"encrypted_content":"e"}]})");
  EXPECT_EQ(messages(kOpenaiResponses, {said}),
            Json::parse(R"([{"type":"message","role":"assistant","content":"a"}])"));
}

// "The final block in an assistant message cannot be `thinking`", and a search without its result is refused.
TEST(Resend, AnthropicsTurnsEndWithWhatCameOfThem) {
  const auto said = [](const std::string& content, const char* reason = "end_turn") {
    return heard(kAnthropic,
                 R"({"type":"message","content":[)" + content + R"(],"stop_reason":")" + reason + "\"}");
  };
  const std::string thought = R"({"type":"thinking","thinking":"t","signature":"s"})";
  const std::string redacted = R"({"type":"redacted_thinking","data":"x"})";
  const std::string text = R"({"type":"text","text":"a"})";
  const std::string search = R"({"type":"server_tool_use","id":"s1","name":"web_search","input":{"q":1}})";
  const std::string found = R"({"type":"web_search_tool_result","tool_use_id":"s1","content":[]})";
  const std::string call = R"({"type":"tool_use","id":"c","name":"look","input":{}})";
  const Message more = Message::user("more");
  const auto sent = [](const Json& out, std::size_t turn) { return out[turn]["content"].dump(); };
  EXPECT_EQ(
      sent(messages(kAnthropic, {said(thought + "," + text + "," + thought + "," + redacted), more}), 0),
      "[" + thought + "," + text + "]");
  const Json merged = messages(kAnthropic, {Message::user("hi"), said(thought), more});
  ASSERT_EQ(merged.size(), 1U) << merged;
  EXPECT_EQ(merged[0]["content"].size(), 2U) << merged;
  // While it is the model's turn still, the search goes on.
  const Message paused = said(thought + "," + search, "pause_turn");
  EXPECT_EQ(sent(messages(kAnthropic, {Message::user("hi"), paused}), 1), "[" + thought + "," + search + "]");
  EXPECT_EQ(sent(messages(kAnthropic, {Message::user("hi"), paused, said(found + "," + text), more}), 1),
            "[" + thought + "," + search + "," + found + "," + text + "]");
  EXPECT_EQ(messages(kAnthropic, {Message::user("hi"), paused, more}).size(), 1U);
  // It waits for a call of ours.
  EXPECT_EQ(sent(messages(kAnthropic, {said(search + "," + call, "tool_use"), Message::tool("c", "1")}), 0),
            "[" + search + "," + call + "]");
}

TEST(Resend, GeminisPartsGoBackInTheirOrderWithTheirSignatures) {
  const char* parts =
      R"([{"text":"why","thought":true},{"text":"a"},{"text":"b","thoughtSignature":"s1"},)"
      R"({"functionCall":{"name":"look","args":{"q":1},"id":"x"},"thoughtSignature":"s2"},)"
      R"({"executableCode":{"code":"1"}},{"functionCall":{"name":"list","args":{}}},{"text":"","thoughtSignature":"s3"}])";
  const Message said = heard(
      kGemini, R"({"candidates":[{"finishReason":"STOP","content":{"parts":)" + std::string(parts) + "}}]}");
  const std::vector<Message> conversation = {Message::user("hi"), said, Message::tool("x", "1"),
                                             Message::tool("call_1", "no", true)};
  Json out = messages(kGemini, conversation);
  ASSERT_EQ(out.size(), 3U) << out.dump();
  EXPECT_EQ(out[1]["parts"], Json::parse(parts));
  EXPECT_EQ(
      out[2],
      Json::parse(
          R"({"role":"user","parts":[{"functionResponse":{"id":"x","name":"look","response":{"output":"1"}}},)"
          R"({"functionResponse":{"name":"list","response":{"error":"no"}}}]})"));
  out = messages(kGemini, conversation, kElsewhere);
  EXPECT_EQ(out[1]["parts"],
            Json::parse(R"([{"text":"a"},{"text":"b"},{"functionCall":{"name":"look","args":{"q":1}}},)"
                        R"({"functionCall":{"name":"list","args":{}}}])"));
  EXPECT_EQ(out[2]["parts"][0],
            Json::parse(R"({"functionResponse":{"name":"look","response":{"output":"1"}}})"));
}

// The next model of a role speaks another format, or the same one elsewhere: it gets what was said, and
// nothing that only the first one understands.
TEST(Resend, AnotherProviderGetsWhatWasSaidAndNoSecretOfTheFirst) {
  const std::vector<std::pair<const Provider*, std::string>> answers = {
      {&kOpenAi,
       R"({"choices":[{"message":{"content":"said","reasoning_content":"CIPHER","tool_calls":[{"id":"c",)"
       R"("function":{"name":"look","arguments":"{}"},"extra_content":{"g":"CIPHER"}}]},)"
       R"("finish_reason":"stop"}]})"},
      {&kOpenaiResponses,
       R"({"status":"completed","output":[{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"CIPHER"},)"
       R"({"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text",)"
       R"("text":"said","annotations":[{"x":"CIPHER"}]}]},{"type":"function_call","id":"fc","call_id":"c",)"
       R"("name":"look","arguments":"{}","status":"completed"}]})"},
      {&kAnthropic,
       R"({"type":"message","content":[{"type":"thinking","thinking":"CIPHER","signature":"CIPHER"},)"
       R"({"type":"redacted_thinking","data":"CIPHER"},{"type":"text","text":"said"},)"
       R"({"type":"tool_use","id":"c","name":"look","input":{}}],"stop_reason":"tool_use"})"},
      {&kGemini, R"({"candidates":[{"content":{"parts":[{"text":"CIPHER","thought":true},{"text":"said"},)"
                 R"({"functionCall":{"id":"c","name":"look","args":{}},"thoughtSignature":"CIPHER"}],)"
                 R"("role":"model"},"finishReason":"STOP"}]})"}};
  for (const auto& [first, body] : answers) {
    const Message said = heard(*first, body);
    EXPECT_TRUE(said.holds_opaque()) << first->name;
    const std::vector<Message> conversation = {Message::user("u"), said, Message::tool("c", "42")};
    EXPECT_NE(messages(*first, conversation).dump().find("CIPHER"), std::string::npos) << first->name;
    for (const Provider* next : providers()) {
      const std::string sent = messages(*next, conversation, kElsewhere).dump();
      EXPECT_EQ(sent.find("CIPHER"), std::string::npos)
          << first->name << " to " << next->name << ": " << sent;
      for (const char* kept : {"said", "look", "42"})
        EXPECT_NE(sent.find(kept), std::string::npos) << first->name << " to " << next->name << ": " << sent;
    }
  }
}

TEST(Resend, ACallThatGeminiDidNotSignSaysSoWhereThatIsDemanded) {
  Request request;
  request.model = "m";
  request.messages = {Message::user("hi"),
                      Message::assistant("", {ToolCall("a", "look", "{}"), ToolCall("b", "look", "{}")})};
  const Dialect plain{.base_url = kHere};
  Error refused(ErrorKind::kBadRequest, "Function call is missing a thought_signature in functionCall parts");
  refused.http_status = 400;
  const auto learnt = kGemini.adapt(plain, refused);
  ASSERT_TRUE(learnt);
  EXPECT_FALSE(kGemini.adapt(*learnt, refused));
  const Json parts = Json::parse(*kGemini.encode(request, *learnt))["contents"][1]["parts"];
  EXPECT_EQ(parts[0]["thoughtSignature"], "skip_thought_signature_validator");
  EXPECT_FALSE(parts[1].contains("thoughtSignature"));
}

TEST(Resend, OneIdTwiceAndAnswersToEach) {
  for (const Provider* provider : providers()) {
    const Json out = messages(
        *provider, {Message::assistant("", {ToolCall("c", "look", "{}"), ToolCall("c", "list", "{}")}),
                    Message::tool("c", "first"), Message::tool("c", "second"),
                    Message::assistant("", {ToolCall("c", "look", "{}")}), Message::tool("c", "third")});
    const std::string text = out.dump();
    std::vector<std::string> calls;
    std::vector<std::string> answers;
    for (const Json& message : out) {
      if (message.contains("tool_calls"))
        for (const Json& call : message["tool_calls"]) calls.push_back(call["id"]);
      if (message.contains("tool_call_id")) answers.push_back(message["tool_call_id"]);
      if (message.value("type", "") == "function_call") calls.push_back(message["call_id"]);
      if (message.value("type", "") == "function_call_output") answers.push_back(message["call_id"]);
      for (const Json& part : message.value("parts", Json::array())) {
        // A position is what is left of an id: calls are answered together, in their order.
        if (part.contains("functionCall")) calls.push_back(std::to_string(calls.size()));
        if (part.contains("functionResponse")) answers.push_back(std::to_string(answers.size()));
      }
      if (!message.contains("content") || !message["content"].is_array()) continue;
      for (const Json& block : message["content"]) {
        if (block["type"] == "tool_use") calls.push_back(block["id"]);
        if (block["type"] == "tool_result") answers.push_back(block["tool_use_id"]);
      }
    }
    EXPECT_EQ(calls, answers) << text;
    ASSERT_EQ(calls.size(), 3U) << text;
    EXPECT_TRUE(calls[0] != calls[1] && calls[1] != calls[2] && calls[0] != calls[2]) << text;
  }
}

// Kimi's model knows its calls by their ids, and LiteLLM puts a signature of Gemini's into them.
TEST(Resend, AnIdGoesBackAsItCame) {
  const std::string kimi = "functions.look:0";
  const std::string signed_id = "call_1__thought__" + std::string(100, 'A') + "+/==";
  const Message chat = heard(
      kOpenAi, R"({"choices":[{"message":{"tool_calls":[{"id":")" + kimi +
                   R"(","function":{"name":"look","arguments":"{}"}},{"id":")" + signed_id +
                   R"(","function":{"name":"look","arguments":"{}"}}]},"finish_reason":"tool_calls"}]})");
  const std::vector<Message> conversation = {chat, Message::tool(kimi, "1"), Message::tool(signed_id, "2"),
                                             chat, Message::tool(kimi, "3"), Message::tool(signed_id, "4")};
  Json out = messages(kOpenAi, conversation);
  EXPECT_EQ(out[0]["tool_calls"][0]["id"], kimi);
  EXPECT_EQ(out[0]["tool_calls"][1]["id"], signed_id);
  EXPECT_EQ(out[1]["tool_call_id"], kimi);
  EXPECT_EQ(out[2]["tool_call_id"], signed_id);
  EXPECT_NE(out[3]["tool_calls"][0]["id"], kimi) << "one id twice";
  EXPECT_EQ(out[3]["tool_calls"][0]["id"], out[4]["tool_call_id"]);
  out = messages(kOpenAi, conversation, kElsewhere);
  EXPECT_EQ(out[0]["tool_calls"][0]["id"], "functions_look_0");
  EXPECT_EQ(out[1]["tool_call_id"], "functions_look_0");
  const Message use = heard(kAnthropic, R"({"type":"message","content":[{"type":"tool_use","id":"look:0",)"
                                        R"("name":"look","input":{}}],"stop_reason":"tool_use"})");
  out = messages(kAnthropic, {use, Message::tool("look:0", "1")});
  EXPECT_EQ(out[0]["content"][0]["id"], "look:0");
  EXPECT_EQ(out[1]["content"][0]["tool_use_id"], "look:0");
  const Message item =
      heard(kOpenaiResponses, R"({"status":"completed","output":[{"type":"function_call","call_id":"look:0",)"
                              R"("name":"look","arguments":"{}"}]})");
  out = messages(kOpenaiResponses, {item, Message::tool("look:0", "1")});
  EXPECT_EQ(out[0]["call_id"], "look:0");
  EXPECT_EQ(out[1]["call_id"], "look:0");
}

TEST(Resend, AnItemsIdIsSaidOnce) {
  const Message said =
      heard(kOpenaiResponses, R"({"status":"completed","output":[{"type":"message","id":"msg_0","content":)"
                              R"([{"type":"output_text","text":"a"}]}]})");
  const Json out = messages(kOpenaiResponses, {said, Message::user("more"), said});
  EXPECT_EQ(out[0]["id"], "msg_0");
  EXPECT_FALSE(out[2].contains("id"));
  EXPECT_EQ(out[2]["content"], out[0]["content"]);
}

TEST(Resend, OddIdsAndNames) {
  const Json out = messages(
      kOpenAi,
      {Message::assistant("", {ToolCall("id with spaces/é" + std::string(90, 'x'), "my tool.v2 – é", "{}")}),
       Message::tool("id with spaces/é" + std::string(90, 'x'), "ok")});
  const std::string id = out[0]["tool_calls"][0]["id"];
  EXPECT_LE(id.size(), 40U);
  EXPECT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << id;
  EXPECT_EQ(out[1]["tool_call_id"], id);
  EXPECT_EQ(out[0]["tool_calls"][0]["function"]["name"], "my_tool_v2____");
  EXPECT_EQ(resent_name(""), "unnamed");
  EXPECT_EQ(resent_name(std::string(100, 'a')).size(), 64U);
}

TEST(Resend, ArgumentsAreAlwaysAnObject) {
  EXPECT_EQ(resent_arguments(""), "{}");
  EXPECT_EQ(resent_arguments(R"({"a": 1})"), R"({"a": 1})");
  EXPECT_EQ(resent_arguments("[1]"), R"({"invalid_arguments":"[1]"})");
  EXPECT_EQ(resent_arguments("{\"a\""), R"({"invalid_arguments":"{\"a\""})");
}

TEST(Resend, NumbersOfArgumentsGoBackAsTheyWereWritten) {
  const Message said = heard(
      kGemini, R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"look","args":)"
               R"({"v":9223372036854775808123,"w":12345678901234567890.5}}}]},"finishReason":"STOP"}]})");
  for (const Provider* provider : {&kGemini, &kAnthropic, &kOpenAi, &kOpenaiResponses}) {
    Request request;
    request.model = "m";
    request.messages = {said};
    std::string body = *provider->encode(request, {kHere});
    std::erase(body, '\\');
    EXPECT_NE(body.find(R"({"v":9223372036854775808123,"w":12345678901234567890.5})"), std::string::npos)
        << body;
  }
}

TEST(Resend, BlankTextsAreNotSaidToThoseWhoRefuseThem) {
  EXPECT_EQ(
      messages(kAnthropic, {Message::user("hi"), Message::assistant(" \n"), Message::user("there")}),
      Json::parse(
          R"([{"role":"user","content":[{"type":"text","text":"hi"},{"type":"text","text":"there"}]}])"));
  // A turn that goes on must not end with blanks.
  EXPECT_EQ(
      messages(kAnthropic, {Message::user("hi"), Message::assistant("let me \n")})[1]["content"][0]["text"],
      "let me");
}

TEST(Resend, CallsWithoutAnswersAndAnswersWithoutCalls) {
  const Json out =
      messages(kOpenAi, {Message::user("hi"), Message::assistant("", {ToolCall("a", "look", "{}")}),
                         Message::user("never mind"), Message::tool("z", "late")});
  ASSERT_EQ(out.size(), 5U) << out.dump();
  EXPECT_EQ(
      out[2],
      Json::parse(R"({"role":"tool","content":"no answer to this call was recorded","tool_call_id":"a"})"));
  EXPECT_EQ(out[4]["role"], "user");
  EXPECT_NE(out[4]["content"].get<std::string>().find("late"), std::string::npos);
}

TEST(Resend, AnOriginIsAFormatAndItsHost) {
  EXPECT_EQ(origin_of("openai", "https://user:key@API.example:8443/v1?x=1"), "openai api.example:8443");
  EXPECT_EQ(origin_of("openai", "http://localhost:11434"), "openai localhost:11434");
}

}  // namespace
}  // namespace holdfast::model
