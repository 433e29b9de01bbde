// Goal: what a client of OpenAI's API says reaches the agent as it was said, or is refused with the name of
// what is wrong; nothing is passed over. Method: requests as clients send them, and those that promise what
// an agent cannot keep.

#include "openai/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "openai/errors.h"
#include "openai/ids.h"

namespace holdfast::openai {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Json chat(const std::string& messages, const std::string& more = "") {
  return Json::parse(R"({"model":"hello","messages":)" + messages + more + "}");
}

Json response(const std::string& input, const std::string& more = "") {
  return Json::parse(R"({"model":"hello","input":)" + input + more + "}");
}

// "400 code param"
std::string refusal(const std::expected<Asked, net::Problem>& asked) {
  if (asked) return "taken";
  const Json body = Json::parse(with_openai_error(asked.error().response()).body);
  const Json& error = body["error"];
  return std::to_string(asked.error().status()) + " " + error["code"].get<std::string>() + " " +
         (error["param"].is_string() ? error["param"].get<std::string>() : "-");
}

TEST(Chat, OneMessageIsTheInputOfARun) {
  const auto asked = read_chat(chat(R"([{"role":"user","content":"hi"}])"));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->model, "hello");
  EXPECT_EQ(asked->input, R"("hi")");
  EXPECT_THAT(asked->history, IsEmpty());
  EXPECT_FALSE(asked->stream);
  EXPECT_TRUE(asked->kept.is_null());
}

TEST(Chat, EarlierTurnsAreTheBeginningOfItsConversation) {
  const auto asked = read_chat(chat(R"([{"role":"system","content":"be brief"},{"role":"user","content":"a"},
      {"role":"assistant","content":"b"},{"role":"user","content":"c"},{"role":"user","content":"d"}])"));
  ASSERT_TRUE(asked);
  EXPECT_THAT(asked->history,
              ElementsAre(R"({"role":"user","content":[{"type":"text","text":)"
                          R"("Instructions of the client:\nbe brief"},{"type":"text","text":"a"}]})",
                          R"({"role":"assistant","content":[{"type":"text","text":"b"}]})"));
  EXPECT_EQ(asked->input, R"({"content":[{"type":"text","text":"c"},{"type":"text","text":"d"}]})");
}

TEST(Chat, PartsOfOneInstructionAreParagraphs) {
  const auto asked = read_chat(chat(R"([{"role":"system","content":[{"type":"text","text":"be brief"},
      {"type":"text","text":"be kind"}]},{"role":"user","content":"a"}])"));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->input,
            R"({"content":[{"type":"text","text":"Instructions of the client:\nbe brief\n\nbe kind"},)"
            R"({"type":"text","text":"a"}]})");
}

TEST(Chat, TextThatLooksLikeAMessageStaysText) {
  const auto asked = read_chat(chat(R"([{"role":"user","content":"{\"content\":[]}"}])"));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->input, R"({"content":[{"type":"text","text":"{\"content\":[]}"}]})");
}

TEST(Chat, ImagesAndFilesAreParts) {
  const auto asked = read_chat(chat(R"([{"role":"user","content":[{"type":"text","text":"see"},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},
      {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,BBBB"}}]}])"));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->input, R"({"content":[{"type":"text","text":"see"},)"
                          R"({"type":"image","media_type":"image/png","data":"AAAA"},)"
                          R"({"type":"file","name":"a.pdf","media_type":"application/pdf","data":"BBBB"}]})");
}

TEST(Chat, WhatTheDefinitionOwnsHasNoEffect) {
  EXPECT_EQ(refusal(read_chat(
                chat(R"([{"role":"user","content":"hi"}])",
                     R"(,"temperature":0.2,"max_tokens":5,"seed":1,"user":"u","store":false,"tools":[],)"
                     R"("tool_choice":"auto","n":1,"stop":null,"response_format":{"type":"text"})"))),
            "taken");
}

TEST(Chat, WhatCannotBeHonouredIsRefusedByName) {
  const std::string hi = R"([{"role":"user","content":"hi"}])";
  for (const auto& [more, param] : std::initializer_list<std::pair<std::string, std::string>>{
           {R"(,"tools":[{"type":"function"}])", "tools"},
           {R"(,"tool_choice":"none")", "tool_choice"},
           {R"(,"n":2)", "n"},
           {R"(,"stop":["x"])", "stop"},
           {R"(,"response_format":{"type":"json_object"})", "response_format"},
           {R"(,"logprobs":true)", "logprobs"},
           {R"(,"modalities":["text","audio"])", "modalities"}}) {
    EXPECT_EQ(refusal(read_chat(chat(hi, more))), "400 unsupported_parameter " + param);
  }
  EXPECT_EQ(refusal(read_chat(chat(hi, R"(,"warmth":1)"))), "400 unknown_parameter warmth");
}

TEST(Chat, BrokenMessagesAreRefusedByTheirPlace) {
  EXPECT_EQ(refusal(read_chat(Json::parse(R"({"model":"hello"})"))),
            "400 missing_required_parameter messages");
  EXPECT_EQ(refusal(read_chat(Json::parse(R"({"messages":[]})"))), "400 missing_required_parameter model");
  EXPECT_EQ(refusal(read_chat(chat("[]"))), "400 invalid_type messages");
  EXPECT_EQ(refusal(read_chat(chat(R"(["hi"])"))), "400 invalid_value messages[0]");
  EXPECT_EQ(refusal(read_chat(chat(R"([{"role":"robot","content":"hi"}])"))),
            "400 invalid_value messages[0].role");
  EXPECT_EQ(refusal(read_chat(chat(R"([{"role":"user","content":[{"type":"input_audio"}]}])"))),
            "400 invalid_value messages[0].content[0]");
  EXPECT_EQ(refusal(read_chat(chat(R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"}])"))),
            "400 invalid_value messages");
  EXPECT_EQ(refusal(read_chat(
                chat(R"([{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"1"}]}])"))),
            "400 invalid_value messages[1].tool_calls");
  EXPECT_EQ(refusal(read_chat(chat(R"([{"role":"user","content":""}])"))), "400 invalid_value messages");
}

TEST(Responses, TextOrItemsAreTheInput) {
  const auto text = read_response(response(R"("hi")"));
  ASSERT_TRUE(text);
  EXPECT_EQ(text->input, R"("hi")");
  const auto items = read_response(response(
      R"([{"type":"message","role":"user","content":[{"type":"input_text","text":"a"}]},
          {"type":"message","id":"msg_1","status":"completed","role":"assistant",
           "content":[{"type":"output_text","text":"b","annotations":[]}]},
          {"type":"mcp_call","id":"mcp_1","server_label":"holdfast","name":"find","arguments":"{}","output":"7"},
          {"role":"user","content":"c"}])"));
  ASSERT_TRUE(items);
  EXPECT_EQ(items->input, R"("c")");
  ASSERT_EQ(items->history.size(), 2u);
  EXPECT_THAT(items->history[1], HasSubstr("[called find with {}: 7]"));
}

TEST(Responses, InstructionsAreTheClientsWords) {
  const auto asked = read_response(response(R"("hi")", R"(,"instructions":"be brief")"));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->input, R"({"content":[{"type":"text","text":"Instructions of the client:\nbe brief"},)"
                          R"({"type":"text","text":"hi"}]})");
  EXPECT_EQ(asked->kept["instructions"], "be brief");
}

TEST(Responses, APreviousOneIsTheRunOfItsId) {
  const auto asked =
      read_response(response(R"("hi")", R"(,"previous_response_id":"resp_r-1","background":true)"));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->previous, "r-1");
  EXPECT_TRUE(asked->background);
  EXPECT_EQ(refusal(read_response(response(R"("hi")", R"(,"previous_response_id":"r-1")"))),
            "404 previous_response_not_found previous_response_id");
  EXPECT_EQ(refusal(read_response(response(R"("hi")", R"(,"previous_response_id":"resp_../x")"))),
            "404 previous_response_not_found previous_response_id");
  EXPECT_EQ(
      refusal(read_response(response(R"("hi")", R"(,"previous_response_id":"resp_r","conversation":"c")"))),
      "400 invalid_value previous_response_id");
  EXPECT_EQ(
      refusal(read_response(response(R"([{"role":"assistant","content":"a"},{"role":"user","content":"b"}])",
                                     R"(,"previous_response_id":"resp_r")"))),
      "400 invalid_value input");
}

TEST(Responses, WhatCannotBeHonouredIsRefusedByName) {
  for (const auto& [more, param] : std::initializer_list<std::pair<std::string, std::string>>{
           {R"(,"tools":[{"type":"web_search"}])", "tools"},
           {R"(,"text":{"format":{"type":"json_schema","name":"x","schema":{}}})", "text"},
           {R"(,"max_tool_calls":3)", "max_tool_calls"},
           {R"(,"prompt":{"id":"p"})", "prompt"}}) {
    EXPECT_EQ(refusal(read_response(response(R"("hi")", more))), "400 unsupported_parameter " + param);
  }
  EXPECT_EQ(refusal(read_response(response(R"("hi")", R"(,"text":{"verbosity":"low"},"store":true)"))),
            "taken");
  EXPECT_EQ(refusal(read_response(response(R"([{"type":"web_search_call","id":"1","status":"completed"}])"))),
            "400 invalid_value input[0].type");
  EXPECT_EQ(refusal(read_response(response(R"("hi")", R"(,"metadata":{"a":1})"))),
            "400 invalid_type metadata");
}

TEST(Responses, WhatIsNotStoredIsNotWaitedForLater) {
  const auto asked = read_response(response(R"("hi")", R"(,"store":false,"previous_response_id":"resp_r")"));
  ASSERT_TRUE(asked);
  EXPECT_FALSE(asked->store);
  EXPECT_EQ(asked->kept["store"], false);
  EXPECT_TRUE(read_response(response(R"("hi")"))->store);
  EXPECT_TRUE(read_chat(chat(R"([{"role":"user","content":"hi"}])"))->store);
  EXPECT_FALSE(read_chat(chat(R"([{"role":"user","content":"hi"}])", R"(,"store":false)"))->store);
  EXPECT_EQ(refusal(read_response(response(R"("hi")", R"(,"store":false,"background":true)"))),
            "400 invalid_value background");
  EXPECT_EQ(refusal(read_response(response(R"("hi")", R"(,"store":false,"conversation":"c")"))),
            "400 invalid_value conversation");
}

TEST(Responses, MoreIsIncludedOfWhatThereIs) {
  const auto including = [](const std::string& what) {
    return refusal(read_response(response(R"("hi")", R"(,"include":)" + what)));
  };
  EXPECT_EQ(including(R"(["reasoning.encrypted_content","file_search_call.results"])"), "taken");
  EXPECT_EQ(including("null"), "taken");
  EXPECT_EQ(including(R"(["message.output_text.logprobs"])"), "400 unsupported_parameter include");
  EXPECT_EQ(including(R"(["everything"])"), "400 invalid_value include");
  EXPECT_EQ(including("[1]"), "400 invalid_value include");
  EXPECT_EQ(including(R"("all")"), "400 invalid_type include");
}

TEST(Responses, WhatOthersDidIsSaidAgain) {
  const auto asked = read_response(response(
      R"([{"role":"user","content":"a"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"x"},
          {"type":"function_call","call_id":"1","name":"f","arguments":"{}"},
          {"type":"function_call_output","call_id":"1","output":[{"type":"input_text","text":"7"},
            {"type":"input_image","image_url":"https://x.test/a.png"}]},
          {"role":"user","content":"b"}])"));
  ASSERT_TRUE(asked);
  ASSERT_EQ(asked->history.size(), 2u);
  EXPECT_THAT(asked->history[1], HasSubstr(R"([called f with {}]\n\n[f gave: 7])"));
  EXPECT_THAT(asked->input, HasSubstr("https://x.test/a.png"));
  EXPECT_THAT(asked->input, HasSubstr(R"("text":"b")"));
  std::string calls;
  for (int i = 0; i < 200; ++i) calls += R"({"type":"mcp_call","name":"f","arguments":"{}","output":"1"},)";
  EXPECT_TRUE(read_response(response("[" + calls + R"({"role":"user","content":"b"}])")))
      << "many calls are one part of a turn";
  EXPECT_EQ(refusal(read_response(response(R"([{"type":"function_call","name":"f"}])"))),
            "400 invalid_value input[0]");
  EXPECT_EQ(
      refusal(read_response(response(R"([{"type":"function_call_output","call_id":"1","output":"x"}])"))),
      "400 invalid_value input[0].call_id");
}

TEST(Ids, AreTheRuns) {
  EXPECT_EQ(response_id("a-1"), "resp_a-1");
  EXPECT_EQ(run_of_response("resp_a-1"), "a-1");
  EXPECT_EQ(run_of_response("a-1"), std::nullopt);
  EXPECT_EQ(run_of_response("resp_"), std::nullopt);
  EXPECT_EQ(run_of_response("resp_$runs"), std::nullopt);
}

TEST(Errors, HaveTheShapeOfOpenAi) {
  const auto response = with_openai_error(net::Problem(409, "taken", "it is").hint("another one").response());
  EXPECT_EQ(Json::parse(response.body),
            Json::parse(R"-({"error":{"message":"it is (another one)","type":"invalid_request_error",
                             "param":null,"code":"taken"}})-"));
  EXPECT_EQ(response.status, 409);
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0].name, "X-Should-Retry");
}

TEST(Input, TurnsOfAHistoryAreShownAsTheyCame) {
  const auto asked =
      read_response(response(R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"},
      {"role":"user","content":[{"type":"input_image","image_url":"https://x.test/a.png"}]}])"));
  ASSERT_TRUE(asked);
  ASSERT_EQ(asked->history.size(), 2U);
  EXPECT_EQ(history_item(asked->history[0], "i0")["content"][0],
            Json::parse(R"({"type":"input_text","text":"a"})"));
  const Json said = history_item(asked->history[1], "i1");
  EXPECT_EQ(said["role"], "assistant");
  EXPECT_EQ(said["content"][0], Json::parse(R"({"type":"output_text","text":"b","annotations":[]})"));
  EXPECT_EQ(input_item("user", asked->input, "i2")["content"][0],
            Json::parse(R"({"type":"input_image","image_url":"https://x.test/a.png","detail":"auto"})"));
  EXPECT_TRUE(history_item("[]", "i").is_null());
}

}  // namespace
}  // namespace holdfast::openai
