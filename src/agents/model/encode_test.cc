// The bytes of requests: recorded, since servers cache prompts by them and a conversation goes on in another
// version. Everything that a request can hold, and a request that holds the least.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/provider.h"

namespace holdfast::model {
namespace {

Request everything() {
  Request out;
  out.model = "m-1";
  Message image = Message::user("look: \"ü\"\n");
  Part part;
  part.type = "image_url";
  part.json = R"({"type":"image_url","image_url":{"url":"u"}})";
  image.content.push_back(part);
  out.messages = {Message::system("Be brief."),
                  Message::system("Be kind."),
                  image,
                  Message::assistant("Let me look.", {ToolCall("c1", "lookup", R"({"b": 1, "a": [2]})"),
                                                      ToolCall("c2", "list", R"({"broken": )")}),
                  Message::tool("c1", "120"),
                  Message::tool("c2", "no JSON", true),
                  Message::user("and now?"),
                  Message::assistant("", {ToolCall("c3", "list", "")})};
  out.tools.resize(2);
  out.tools[0].name = "lookup";
  out.tools[0].description = "Finds.";
  out.tools[0].parameters = R"({"type":"object","required":["a"],"properties":{"a":{"type":"array"}}})";
  out.tools[1].name = "list";
  out.max_tokens = 77;
  out.temperature = 0.5;
  out.stop = {"END"};
  return out;
}

Request least() {
  Request out;
  out.model = "m-1";
  out.messages = {Message::user("hello")};
  return out;
}

constexpr const char* kOpenAiEverything =
    R"({"model":"m-1","messages":[{"role":"system","content":"Be brief."},{"role":"system",)"
    R"("content":"Be kind."},{"role":"user","content":[{"type":"text","text":"look: \"ü\"\n"},{)"
    R"("type":"image_url","image_url":{"url":"u"}}]},{"role":"assistant","content":)"
    R"("Let me look.","tool_calls":[{"id":"c1","type":"function","function":{"name":"lookup",)"
    R"("arguments":"{\"b\": 1, \"a\": [2]}"}},{"id":"c2","type":"function","function":{"name":)"
    R"("list","arguments":"{\"invalid_arguments\":\"{\\\"broken\\\": \"}"}}]},{"role":"tool","content":"120","tool_call_id":)"
    R"("c1"},{"role":"tool","content":"no JSON","tool_call_id":"c2"},{"role":"user","content":)"
    R"("and now?"},{"role":"assistant","content":null,"tool_calls":[{"id":"c3","type":)"
    R"("function","function":{"name":"list","arguments":"{}"}}]},{"role":"tool","content":)"
    R"("no answer to this call was recorded","tool_call_id":"c3"}],"tools":[{"type":"function",)"
    R"("function":{"name":"lookup","description":"Finds.","parameters":{"type":"object",)"
    R"("required":["a"],"properties":{"a":{"type":"array"}}}}},{"type":"function","function":{)"
    R"("name":"list","description":"","parameters":{"type":"object","properties":{}}}}],)"
    R"("max_completion_tokens":77,"temperature":0.5,"stop":["END"],"stream":true,)"
    R"("stream_options":{"include_usage":true}})";

constexpr const char* kAnthropicEverything =
    R"({"model":"m-1","max_tokens":77,"system":"Be brief.\n\nBe kind.","messages":[{"role":)"
    R"("user","content":[{"type":"text","text":"look: \"ü\"\n"},{"type":"image_url",)"
    R"("image_url":{"url":"u"}}]},{"role":"assistant","content":[{"type":"text","text":)"
    R"("Let me look."},{"type":"tool_use","id":"c1","name":"lookup","input":{"b":1,"a":[2]}},{)"
    R"("type":"tool_use","id":"c2","name":"list","input":{"invalid_arguments":"{\"broken\":)"
    R"( "}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":)"
    R"("120"},{"type":"tool_result","tool_use_id":"c2","content":"no JSON","is_error":true},{)"
    R"("type":"text","text":"and now?"}]},{"role":"assistant","content":[{"type":"tool_use",)"
    R"("id":"c3","name":"list","input":{}}]},{"role":"user","content":[{"type":"tool_result",)"
    R"("tool_use_id":"c3","content":"no answer to this call was recorded","is_error":true}]}],"tools":[{"name":"lookup","description":"Finds.",)"
    R"("input_schema":{"type":"object","required":["a"],"properties":{"a":{"type":"array"}}}},{)"
    R"("name":"list","description":"","input_schema":{"type":"object","properties":{}}}],)"
    R"("temperature":0.5,"stop_sequences":["END"],"stream":true})";

constexpr const char* kResponsesEverything =
    R"({"model":"m-1","input":[{"type":"message","role":"system","content":"Be brief."},{"type":)"
    R"("message","role":"system","content":"Be kind."},{"type":"message","role":"user","content":[{)"
    R"("type":"input_text","text":"look: \"ü\"\n"},{"type":"image_url","image_url":{"url":"u"}}]},{)"
    R"("type":"message","role":"assistant","content":"Let me look."},{"type":"function_call",)"
    R"("call_id":"c1","name":"lookup","arguments":"{\"b\": 1, \"a\": [2]}"},{"type":)"
    R"("function_call","call_id":"c2","name":"list","arguments":"{\"invalid_arguments\":\"{\\\"broken\\\": \"}"},{)"
    R"("type":"function_call_output","call_id":"c1","output":"120"},{"type":"function_call_output",)"
    R"("call_id":"c2","output":"no JSON"},{"type":"message","role":"user","content":"and now?"},{)"
    R"("type":"function_call","call_id":"c3","name":"list","arguments":"{}"},{"type":)"
    R"("function_call_output","call_id":"c3","output":"no answer to this call was recorded"}],)"
    R"("tools":[{"type":"function","name":"lookup","description":"Finds.","parameters":{"type":"object",)"
    R"("required":["a"],"properties":{"a":{"type":"array"}}},"strict":false},{"type":"function",)"
    R"("name":"list","description":"","parameters":{"type":"object","properties":{}},"strict":false}],)"
    R"("max_output_tokens":77,"temperature":0.5,"store":false,"include":["reasoning.encrypted_content"],)"
    R"("stream":true})";

constexpr const char* kOfficial = "https://api.openai.com/v1";
constexpr const char* kCompatible = "http://localhost:11434/v1";

TEST(Encode, OpenAi) {
  EXPECT_EQ(*kOpenAi.encode(everything(), {kOfficial}), kOpenAiEverything);
  EXPECT_EQ(*kOpenAi.encode(least(), {kOfficial}),
            R"({"model":"m-1","messages":[{"role":"user","content":"hello"}],"stream":true,)"
            R"("stream_options":{"include_usage":true}})");
  // The servers that speak the same format know the limit by its old name.
  std::string compatible = kOpenAiEverything;
  const std::string renamed = "max_completion_tokens";
  compatible.replace(compatible.find(renamed), renamed.size(), "max_tokens");
  EXPECT_EQ(*kOpenAi.encode(everything(), {kCompatible}), compatible);
}

TEST(Encode, Responses) {
  Request request = everything();
  EXPECT_EQ(kOpenaiResponses.encode(request, {kOfficial}).error().code(), Code::kInvalidArgument);
  request.stop.clear();
  EXPECT_EQ(*kOpenaiResponses.encode(request, {kOfficial}), kResponsesEverything);
  EXPECT_EQ(*kOpenaiResponses.encode(least(), {kOfficial, false, true}),
            R"({"model":"m-1","input":[{"type":"message","role":"user","content":"hello"}],)"
            R"("store":false,"stream":true})");
}

// A user's part as it goes out.
std::string sent(const Provider& provider, const char* json) {
  Request request = least();
  Part out;
  out.json = json;
  out.type = std::string_view(json).find(R"("type":"image")") == std::string_view::npos ? "file" : "image";
  request.messages[0].content = {out};
  const auto body = provider.encode(request, {kOfficial});
  if (!body) return body.error().code() == Code::kInvalidArgument ? "refused" : "?";
  const auto said = nlohmann::ordered_json::parse(*body);
  for (const char* name : {"messages", "input", "contents"}) {
    if (!said.contains(name)) continue;
    const auto& message = said[name][0];
    return message[message.contains("parts") ? "parts" : "content"][0].dump();
  }
  return "?";
}

TEST(Encode, ImagesAndFiles) {
  const char* image = R"({"type":"image","media_type":"image/png","data":"iVBORw0="})";
  const char* image_url = R"({"type":"image","url":"https://example.com/a.png"})";
  const char* file = R"({"type":"file","name":"a.pdf","media_type":"application/pdf","data":"JVBERg=="})";
  const char* file_url = R"({"type":"file","url":"https://example.com/a.pdf"})";
  EXPECT_EQ(sent(kOpenAi, image),
            R"({"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0="}})");
  EXPECT_EQ(sent(kOpenAi, image_url),
            R"({"type":"image_url","image_url":{"url":"https://example.com/a.png"}})");
  EXPECT_EQ(
      sent(kOpenAi, file),
      R"({"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERg=="}})");
  EXPECT_EQ(sent(kOpenAi, file_url), "refused");
  EXPECT_EQ(sent(kOpenaiResponses, image),
            R"({"type":"input_image","image_url":"data:image/png;base64,iVBORw0="})");
  EXPECT_EQ(sent(kOpenaiResponses, image_url),
            R"({"type":"input_image","image_url":"https://example.com/a.png"})");
  EXPECT_EQ(sent(kOpenaiResponses, file),
            R"({"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERg=="})");
  EXPECT_EQ(sent(kOpenaiResponses, file_url),
            R"({"type":"input_file","file_url":"https://example.com/a.pdf"})");
  EXPECT_EQ(sent(kAnthropic, image),
            R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0="}})");
  EXPECT_EQ(sent(kAnthropic, image_url),
            R"({"type":"image","source":{"type":"url","url":"https://example.com/a.png"}})");
  EXPECT_EQ(
      sent(kAnthropic, file),
      R"({"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERg=="},"title":"a.pdf"})");
  EXPECT_EQ(sent(kAnthropic, R"({"type":"file","media_type":"text/csv","data":"YSxi"})"), "refused");
  EXPECT_EQ(sent(kGemini, image), R"({"inlineData":{"mimeType":"image/png","data":"iVBORw0="}})");
  EXPECT_EQ(sent(kGemini, file_url), R"({"fileData":{"fileUri":"https://example.com/a.pdf"}})");
}

TEST(Encode, PartsThatAreNoneAreRefusedByEveryFormat) {
  for (const Provider* provider : providers()) {
    // A provider's own form goes out as it is.
    EXPECT_EQ(sent(*provider, R"({"type":"image","source":{"x":1}})"),
              R"({"type":"image","source":{"x":1}})");
    for (const char* wrong :
         {R"({"type":"image","url":"file:///etc/passwd"})", R"({"type":"image","data":"iVBORw0="})",
          R"({"type":"image","media_type":"image/png","data":"not base64!"})",
          R"({"type":"image","media_type":"image/png","data":"abc"})",
          R"({"type":"image","media_type":"x","data":"iVBORw0="})",
          R"({"type":"image","media_type":"image/png","data":7})",
          R"({"type":"file","media_type":"a/b","data":"iVBORw0=","url":"https://e.com"})",
          R"({"type":"image","media_type":"image/png","data":"===="})"}) {
      EXPECT_EQ(sent(*provider, wrong), "refused") << provider->name << ' ' << wrong;
    }
  }
}

TEST(Encode, AnOutputSchemaIsSaidInEachFormatsWords) {
  const auto body = [](const Provider& provider, const char* schema) {
    Request request = least();
    request.output_schema = schema;
    return nlohmann::ordered_json::parse(provider.encode(request, {kOfficial}).value());
  };
  const char* closed =
      R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false})";
  const auto schema = nlohmann::ordered_json::parse(closed);
  const auto chat = body(kOpenAi, closed)["response_format"];
  EXPECT_EQ(chat["type"], "json_schema");
  EXPECT_EQ(chat["json_schema"]["schema"], schema);
  EXPECT_EQ(chat["json_schema"]["strict"], true);
  const auto format = body(kOpenaiResponses, closed)["text"]["format"];
  EXPECT_EQ(format["schema"], schema);
  EXPECT_EQ(format["strict"], true);
  EXPECT_EQ(body(kAnthropic, closed)["output_config"]["format"]["schema"], schema);
  EXPECT_EQ(body(kGemini, closed)["generationConfig"]["responseJsonSchema"], schema);
  // Strictly is held to what can be, and loosely to all else.
  for (
      const char* loose :
      {R"({"type":"object","properties":{"a":{}}})", R"({"type":"object","additionalProperties":false})",
       R"({"type":"object","properties":{"a":{"type":"object"}},"required":["a"],"additionalProperties":false})",
       R"({"oneOf":[{"type":"string"}]})",
       R"({"type":"object","properties":{"a":{"type":"string"}},"required":[],"additionalProperties":false})"}) {
    EXPECT_EQ(body(kOpenAi, loose)["response_format"]["json_schema"]["strict"], false) << loose;
  }
  Request broken = least();
  broken.output_schema = "[]";
  for (const Provider* provider : providers())
    EXPECT_EQ(provider->encode(broken, {kOfficial}).error().code(), Code::kInvalidArgument);
}

TEST(Encode, CacheMarksStandWhereAPromptIsWorthKeeping) {
  Request request = everything();
  request.cache_marks = true;
  const auto body = nlohmann::ordered_json::parse(*kAnthropic.encode(request, {kOfficial}));
  const auto mark = nlohmann::ordered_json{{"type", "ephemeral"}};
  EXPECT_EQ(body["system"][0]["cache_control"], mark);
  EXPECT_EQ(body["tools"].back()["cache_control"], mark);
  int marks = 0;
  for (const auto& turn : body["messages"]) {
    for (const auto& block : turn["content"]) marks += block.contains("cache_control") ? 1 : 0;
  }
  EXPECT_EQ(marks, 2);
  EXPECT_EQ(body["messages"].back()["content"].back()["cache_control"], mark);
  // The others keep prompts without being told.
  Request plain = everything();
  EXPECT_EQ(*kOpenAi.encode(request, {kOfficial}), *kOpenAi.encode(plain, {kOfficial}));
  EXPECT_EQ(*kGemini.encode(request, {kOfficial}), *kGemini.encode(plain, {kOfficial}));
}

TEST(Encode, Azure) {
  const auto path = [](const Provider& provider, std::string base, std::string version) {
    Request request = least();
    request.model = "gpt 4";
    Dialect dialect;
    dialect.base_url = std::move(base);
    dialect.api_version = std::move(version);
    return provider.path_of(request, dialect);
  };
  EXPECT_EQ(path(kOpenAi, "https://r.openai.azure.com", "2024-10-21"),
            "/openai/deployments/gpt%204/chat/completions?api-version=2024-10-21");
  EXPECT_EQ(path(kOpenAi, "https://r.openai.azure.com/openai/", "2024-10-21"),
            "/deployments/gpt%204/chat/completions?api-version=2024-10-21");
  EXPECT_EQ(path(kOpenAi, "https://gate.example/openai/deployments/d", "2024-10-21"),
            "/chat/completions?api-version=2024-10-21");
  EXPECT_EQ(path(kOpenAi, "https://r.openai.azure.com/openai/v1", "preview"),
            "/chat/completions?api-version=preview");
  EXPECT_EQ(path(kOpenaiResponses, "https://r.openai.azure.com", "2025-04-01-preview"),
            "/openai/responses?api-version=2025-04-01-preview");
  EXPECT_EQ(path(kOpenAi, "https://api.openai.com/v1", ""), "/chat/completions");
  const auto header = [](std::string base, std::string version) {
    Dialect dialect;
    dialect.base_url = std::move(base);
    dialect.api_version = std::move(version);
    return kOpenAi.headers("k", dialect).at(0).first;
  };
  EXPECT_EQ(header("https://r.openai.azure.com/openai/v1", ""), "api-key");
  EXPECT_EQ(header("https://gate.example", "2024-10-21"), "api-key");
  EXPECT_EQ(header("https://r.openai.azure.com.evil.example/v1", ""), "authorization");
  EXPECT_EQ(header("https://api.openai.com/v1", ""), "authorization");
}

TEST(Encode, WhatAServerDoesNotTakeIsLearntFromItsRefusal) {
  Error refused(ErrorKind::kBadRequest, "Unknown field: stream_options");
  refused.http_status = 400;
  const auto learnt = kOpenAi.adapt({kCompatible}, refused);
  ASSERT_TRUE(learnt);
  EXPECT_EQ(*kOpenAi.encode(least(), *learnt),
            R"({"model":"m-1","messages":[{"role":"user","content":"hello"}],"stream":true})");
  EXPECT_FALSE(kOpenAi.adapt(*learnt, refused));
  refused.message = "Encrypted content is not supported with this model.";
  ASSERT_TRUE(kOpenaiResponses.adapt({kOfficial}, refused));
}

// What each format's servers say of a conversation that holds what they said themselves.
TEST(Encode, WhatIsNotTakenBackIsLeftOut) {
  struct Row {
    const Provider& provider;
    const char* said;
    bool once;  // else it is the server's way, and learnt
  };
  const Row rows[] = {
      {kAnthropic, "messages.1.content.0: Invalid `signature` in `thinking` block", true},
      {kAnthropic, "messages.3.content.8: `thinking` or `redacted_thinking` blocks cannot be modified", true},
      {kAnthropic, "messages.1: `code_execution` tool use with id `srvtoolu_01` was found without a result",
       true},
      {kOpenaiResponses, "The encrypted content gAAA...DQ== could not be verified.", true},
      {kGemini, "Corrupted thought signature.", true},
      {kOpenAi, "[gemini-3] Unable to submit request because Thought signature is not valid.", true},
      {kOpenAi,
       R"([{"type":"extra_forbidden","loc":["body","messages",3,"assistant","reasoning_content"],)"
       R"("msg":"Extra inputs are not permitted"}])",
       false},
      {kOpenAi,
       "for 'role:assistant' the following must be satisfied[('messages.2' : property "
       "'reasoning_content' is unsupported)]",
       false},
  };
  for (const Row& row : rows) {
    Error refused(ErrorKind::kBadRequest, row.said);
    refused.http_status = 400;
    const auto other = row.provider.adapt({kOfficial}, refused);
    ASSERT_TRUE(other) << row.said;
    EXPECT_EQ(other->plain_once, row.once) << row.said;
    EXPECT_EQ(other->plain, !row.once) << row.said;
    EXPECT_FALSE(row.provider.adapt(*other, refused)) << row.said;
    Request request = least();
    Message said = Message::assistant("hello", {ToolCall("c", "look", "{}")});
    said.origin = origin_of(row.provider.name, kOfficial);
    said.content[0].extra = R"({"x":"OPAQUE"})";
    request.messages.push_back(said);
    EXPECT_NE(row.provider.encode(request, {kOfficial})->find("OPAQUE"), std::string::npos) << row.said;
    EXPECT_EQ(row.provider.encode(request, *other)->find("OPAQUE"), std::string::npos) << row.said;
  }
}

TEST(Encode, WhereEachTurnIsToHoldWhatWasThoughtAPlaceholderStandsForIt) {
  Error refused(ErrorKind::kBadRequest, "");
  refused.http_status = 400;
  Request request = least();
  request.messages.push_back(Message::assistant("hello"));
  refused.message = "The `reasoning_content` in the thinking mode must be passed back to the API.";
  const auto chat = kOpenAi.adapt({kCompatible}, refused);
  ASSERT_TRUE(chat);
  EXPECT_FALSE(kOpenAi.adapt(*chat, refused));
  EXPECT_EQ(nlohmann::ordered_json::parse(*kOpenAi.encode(request, *chat))["messages"][1].dump(),
            R"({"role":"assistant","content":"hello","reasoning_content":" "})");
  refused.message = "The `content[].thinking` in the thinking mode must be passed back to the API.";
  const auto messages = kAnthropic.adapt({kCompatible}, refused);
  ASSERT_TRUE(messages);
  EXPECT_FALSE(kAnthropic.adapt(*messages, refused));
  EXPECT_EQ(
      nlohmann::ordered_json::parse(*kAnthropic.encode(request, *messages))["messages"][1]["content"].dump(),
      R"([{"type":"thinking","thinking":" ","signature":""},{"type":"text","text":"hello"}])");
}

TEST(Encode, AMessageThatSaysNothingIsLeftOutWhereItIsRefused) {
  Error refused(ErrorKind::kBadRequest,
                "Invalid request: the message at position 1 with role 'assistant' must not be empty");
  refused.http_status = 400;
  const auto learnt = kOpenAi.adapt({kCompatible}, refused);
  ASSERT_TRUE(learnt);
  EXPECT_FALSE(kOpenAi.adapt(*learnt, refused));
  Request request = least();
  request.messages.push_back(Message::assistant(""));
  request.messages.push_back(Message::user("well?"));
  EXPECT_EQ(nlohmann::ordered_json::parse(*kOpenAi.encode(request, {kCompatible}))["messages"].size(), 3U);
  EXPECT_EQ(nlohmann::ordered_json::parse(*kOpenAi.encode(request, *learnt))["messages"].size(), 2U);
}

TEST(Encode, Gemini) {
  EXPECT_EQ(*kGemini.encode(least(), {kOfficial}),
            R"({"contents":[{"role":"user","parts":[{"text":"hello"}]}]})");
  const auto body = nlohmann::ordered_json::parse(*kGemini.encode(everything(), {kOfficial}));
  EXPECT_EQ(body["systemInstruction"]["parts"][0]["text"], "Be brief.\n\nBe kind.");
  EXPECT_EQ(body["generationConfig"].dump(),
            R"({"maxOutputTokens":77,"temperature":0.5,"stopSequences":["END"]})");
  EXPECT_EQ(body["tools"][0]["functionDeclarations"][1].dump(),
            R"({"name":"list","description":"","parametersJsonSchema":{"type":"object","properties":{}}})");
  Request request = least();
  for (const auto& [model, path] : {std::pair{"gemini-2.5-pro", "/models/gemini-2.5-pro"},
                                    {"models/x", "/models/x"},
                                    {"publishers/google/models/x", "/publishers/google/models/x"},
                                    {"a?b#c", "/models/a%3Fb%23c"}}) {
    request.model = model;
    EXPECT_EQ(kGemini.path_of(request, {kOfficial}), std::string(path) + ":streamGenerateContent?alt=sse");
  }
}

TEST(Encode, Anthropic) {
  EXPECT_EQ(*kAnthropic.encode(everything(), {std::string(kAnthropic.default_url)}), kAnthropicEverything);
  EXPECT_EQ(*kAnthropic.encode(least(), {std::string(kAnthropic.default_url)}),
            R"({"model":"m-1","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text",)"
            R"("text":"hello"}]}],"stream":true})");
}

TEST(Encode, ASchemaThatIsNoneIsRefused) {
  for (const Provider* provider : providers()) {
    for (const char* schema : {"{", "[]", "7"}) {
      Request request = everything();
      request.tools[0].parameters = schema;
      const auto body = provider->encode(request, {std::string(provider->default_url)});
      ASSERT_FALSE(body);
      EXPECT_EQ(body.error().code(), Code::kInvalidArgument);
      EXPECT_NE(body.error().message().find("tool lookup"), std::string::npos);
    }
  }
}

TEST(Encode, TextsThatWereSaidApartStayApart) {
  Request request = least();
  request.messages[0].content.emplace_back("and then?");
  const auto chat = kOpenAi.encode(request, {});
  ASSERT_TRUE(chat);
  EXPECT_NE(chat->find(R"({"role":"user","content":"hello\n\nand then?"})"), std::string::npos) << *chat;
  const auto responses = kOpenaiResponses.encode(request, {});
  ASSERT_TRUE(responses);
  EXPECT_NE(
      responses->find(R"([{"type":"input_text","text":"hello"},{"type":"input_text","text":"and then?"}])"),
      std::string::npos)
      << *responses;
  request.messages[0].role = Role::kAssistant;
  const auto one = kOpenAi.encode(request, {});
  ASSERT_TRUE(one);
  EXPECT_NE(one->find(R"("content":"helloand then?")"), std::string::npos)
      << "one answer in pieces: " << *one;
}

}  // namespace
}  // namespace holdfast::model
