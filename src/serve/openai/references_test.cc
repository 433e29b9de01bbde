// Goal: an item that a client names by its id reaches the agent as if it had been said again, and a name that
// is not ours is told. Method: inputs as the AI SDK sends them, with a lookup in memory.

#include "openai/references.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "openai/errors.h"
#include "openai/request.h"

namespace holdfast::openai {
namespace {

std::expected<Json, net::Problem> found(const ItemPlace& place, const std::string& id) {
  if (place.of == "gone") return Json();
  if (id.starts_with("mcp_"))
    return Json{{"id", id}, {"type", "mcp_call"}, {"name", "pay"}, {"arguments", "{}"}, {"output", "paid"}};
  return Json{
      {"id", id},
      {"type", "message"},
      {"role", "assistant"},
      {"status", "completed"},
      {"content", Json::array({{{"type", "output_text"}, {"text", "said " + std::to_string(place.at)}}})},
      {"phase", "final_answer"}};
}

std::string refusal(const std::string& text) {
  Json input = Json::parse(text);
  const auto problem = put_references(input, found);
  if (!problem) return "taken";
  const Json error = Json::parse(with_openai_error(problem->response()).body)["error"];
  const std::string message = error["message"];
  return std::to_string(problem->status()) + " " + error["code"].get<std::string>() + " " +
         error["param"].get<std::string>() + " " + message.substr(0, message.find(" ("));  // its hint
}

TEST(References, AreTheItemsThatTheyName) {
  Json body = Json::parse(R"({"model":"hello","input":[
      {"role":"user","content":[{"type":"input_text","text":"one"}]},
      {"type":"item_reference","id":"mcp_run_7_0"},
      {"type":"item_reference","id":"mcp_run_7_0"},
      {"type":"item_reference","id":"msg_run_7_1"},
      {"role":"user","content":[{"type":"input_text","text":"two"}]}]})");
  ASSERT_FALSE(put_references(body["input"], found));
  const auto asked = read_response(body);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->input, R"("two")");
  ASSERT_EQ(asked->history.size(), 2U);
  EXPECT_EQ(asked->history[1],
            R"({"role":"assistant","content":[{"type":"text","text":"[called pay with {}: paid]"},)"
            R"({"type":"text","text":"said 1"}]})");
}

TEST(References, UnknownOnesAreNamed) {
  EXPECT_EQ(refusal(R"([{"type":"item_reference","id":"msg_68ab"}])"),
            "404 item_not_found input[0].id Item with id 'msg_68ab' not found.");
  EXPECT_EQ(refusal(R"([{"role":"user","content":"a"},{"id":"msg_gone_0"}])"),
            "404 item_not_found input[1].id Item with id 'msg_gone_0' not found.");
  EXPECT_EQ(refusal(R"([{"type":"item_reference"}])"),
            "400 missing_required_parameter input[0].id Missing required parameter: 'input[0].id'.");
}

TEST(References, AnItemSaysWhereItStands) {
  for (const char* id : {"", "msg_", "msg_a", "msg_a_", "msg_a_x", "msg__0", "mcp_a_input", "mcp_a_1x",
                         "rs_a_0", "mcpr_", "msg_a_-1", "msg_a_99999999999999999999999"})
    EXPECT_FALSE(place_of_item(id)) << id;
  const auto output = place_of_item("msg_run_a_12");
  ASSERT_TRUE(output);
  EXPECT_EQ(output->kind, ItemPlace::Kind::kOutput);
  EXPECT_EQ(output->of, "run_a");
  EXPECT_EQ(output->at, 12U);
  EXPECT_EQ(place_of_item("msg_run_a_input")->kind, ItemPlace::Kind::kInput);
  EXPECT_EQ(place_of_item("mcpr_run_a:1")->of, "run_a:1");
}

TEST(References, WhatIsNoneStays) {
  const Json before =
      Json::parse(R"([{"role":"user","id":"msg_a_0","content":"hi"},{"type":"mcp_call","id":"x"},"odd"])");
  Json after = before;
  ASSERT_FALSE(put_references(after, found));
  EXPECT_EQ(after, before);
  Json text = "hi";
  ASSERT_FALSE(put_references(text, found));
  EXPECT_EQ(text, Json("hi"));
}

TEST(References, AllThatIsNamedIsBounded) {
  Json input = Json::array();
  for (int i = 0; i < 5; ++i)
    input.push_back({{"type", "item_reference"}, {"id", "msg_a_" + std::to_string(i)}});
  const auto problem = put_references(
      input, [](const ItemPlace&, const std::string&) { return Json{{"text", std::string(1 << 20, 'x')}}; });
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->status(), 400);
}

}  // namespace
}  // namespace holdfast::openai
