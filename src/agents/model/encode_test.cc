// The bytes of requests: recorded, since servers cache prompts by them and a conversation goes on in another
// version. Everything that a request can hold, and a request that holds the least.

#include <gtest/gtest.h>

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

TEST(Encode, ImagesAndFilesOfResponses) {
  const auto part = [](const char* json) {
    Request request = least();
    Part out;
    out.json = json;
    out.type = std::string_view(json).find(R"("type":"image")") == std::string_view::npos ? "file" : "image";
    request.messages[0].content = {out};
    const auto body = kOpenaiResponses.encode(request, {kOfficial});
    if (!body) return std::string("refused");
    const std::size_t begin = body->find(R"("content":[)") + 11;
    return body->substr(begin, body->find("]}]", begin) - begin);
  };
  EXPECT_EQ(part(R"({"type":"image","media_type":"image/png","data":"iVBORw0="})"),
            R"({"type":"input_image","image_url":"data:image/png;base64,iVBORw0="})");
  EXPECT_EQ(part(R"({"type":"image","url":"https://example.com/a.png"})"),
            R"({"type":"input_image","image_url":"https://example.com/a.png"})");
  EXPECT_EQ(part(R"({"type":"file","name":"a.pdf","media_type":"application/pdf","data":"JVBERg=="})"),
            R"({"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERg=="})");
  EXPECT_EQ(part(R"({"type":"file","url":"https://example.com/a.pdf"})"),
            R"({"type":"input_file","file_url":"https://example.com/a.pdf"})");
  // A provider's own form goes out as it is.
  EXPECT_EQ(part(R"({"type":"image","source":{"x":1}})"), R"({"type":"image","source":{"x":1}})");
  for (const char* wrong :
       {R"({"type":"image","url":"file:///etc/passwd"})", R"({"type":"image","data":"iVBORw0="})",
        R"({"type":"image","media_type":"image/png","data":"not base64!"})",
        R"({"type":"image","media_type":"image/png","data":"abc"})",
        R"({"type":"image","media_type":"x","data":"iVBORw0="})",
        R"({"type":"image","media_type":"image/png","data":7})",
        R"({"type":"file","media_type":"a/b","data":"iVBORw0=","url":"https://e.com"})",
        R"({"type":"image","media_type":"image/png","data":"===="})"}) {
    EXPECT_EQ(part(wrong), "refused") << wrong;
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

}  // namespace
}  // namespace holdfast::model
